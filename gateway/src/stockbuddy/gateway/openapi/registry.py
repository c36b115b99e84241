"""The services' OpenAPI documents: fetched periodically, kept while a service is unavailable, merged into one."""

import asyncio
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import structlog

from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.chassis.runtime.failures import DependencyUnavailable
from stockbuddy.gateway.openapi.examples import add_examples
from stockbuddy.gateway.openapi.information import INFORMATION, SERVERS
from stockbuddy.gateway.openapi.merge import METHODS, OpenApiDocument, merge_documents
from stockbuddy.gateway.openapi.own_operations import add_own_operations
from stockbuddy.gateway.proxy.client import call
from stockbuddy.gateway.proxy.upstream import Upstream
from stockbuddy.gateway.routing.patterns import PathPattern, split_path
from stockbuddy.gateway.routing.routes import BASE, STATUS_PATH, WELL_KNOWN, Auth, find_route
from stockbuddy.gateway.system_status import GATEWAY

log = structlog.get_logger(__name__)

REFRESH_INTERVAL_SECONDS = 30.0
MISSING_INTERVAL_SECONDS = 1.0
FETCH_TIMEOUT_SECONDS = 3.0
_SERVERS_MARK = "\N{SYMBOL FOR NULL} servers"


@dataclass(frozen=True, slots=True)
class _ServiceDocument:
    """`patterns`: the paths with their methods; the most specific first: `/sales/batch`, `/sales/{}`."""

    content: bytes
    etag: bytes | None
    patterns: Sequence[tuple[PathPattern, list[str]]]


class _MergedDocument(NamedTuple):
    """The text before and after the value of `servers`, and a digest of both."""

    before: bytes
    after: bytes
    digest: bytes


class OpenApiRegistry:
    """Keeps the documents as bytes: parsed, they take ten times as much memory. They are merged when a client asks."""

    def __init__(self, upstreams: Mapping[str, Upstream]) -> None:
        self._upstreams = upstreams
        self._documents: dict[str, _ServiceDocument] = {}
        self._own_patterns = [(PathPattern(BASE + STATUS_PATH), ["GET"])]
        self._merged: _MergedDocument | None = None
        """None since a document has changed."""
        self._lock = asyncio.Lock()
        self._refreshed_at = float("-inf")
        self.worker = PollingWorker("openapi documents", self._poll, interval_seconds=MISSING_INTERVAL_SECONDS)

    async def document(self, path_prefix: str) -> tuple[bytes, str]:
        """The merged document as JSON, and its entity tag. Services that have never responded are missing."""
        await self._refresh(self._missing)
        merged = self._merged or await self._merge_documents()
        servers = json.dumps(
            [{"url": path_prefix or "/", "description": "This server."}], separators=(",", ":")
        ).encode()
        etag = hashlib.sha256(merged.digest + servers).hexdigest()[:32]
        return merged.before + servers + merged.after, f'"{etag}"'

    async def _merge_documents(self) -> _MergedDocument:
        async with self._lock:
            if self._merged is None:
                # In a fixed order, so that equal documents merge into an equal result, with the same entity tag.
                contents = {name: self._documents[name].content for name in self._upstreams if name in self._documents}
                self._merged = await asyncio.to_thread(_merge, contents)
            return self._merged

    def may_exist(self, service: str, path: str) -> bool:
        """False if the service's document is known and does not contain this path."""
        patterns = self._patterns(service)
        if patterns is None or path in WELL_KNOWN:
            return True
        segments = split_path(path)
        return any(pattern.matches(segments) for pattern, _ in patterns)

    def methods(self, service: str, path: str) -> list[str]:
        """The methods of a path; of one whose service's document is not known or does not contain it, none."""
        segments = split_path(path)
        patterns = self._patterns(service) or ()
        return next((methods for pattern, methods in patterns if pattern.matches(segments)), [])

    def _patterns(self, service: str) -> Sequence[tuple[PathPattern, list[str]]] | None:
        if service == GATEWAY:
            return self._own_patterns
        known = self._documents.get(service)
        return known.patterns if known else None

    @property
    def _missing(self) -> list[str]:
        return [service for service in self._upstreams if service not in self._documents]

    async def _poll(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._refreshed_at < REFRESH_INTERVAL_SECONDS:
            await self._refresh(self._missing)
        else:
            self._refreshed_at = now
            await self._refresh(self._upstreams)

    async def _refresh(self, services: Iterable[str]) -> None:
        """Fetch the documents of these services; a service that does not respond keeps its last one."""
        requested = list(services)
        if not requested:
            return
        async with self._lock:
            for service, document in zip(requested, await asyncio.gather(*map(self._fetch, requested)), strict=True):
                if document is not None:
                    self._documents[service] = document
                    self._merged = None

    async def _fetch(self, service: str) -> _ServiceDocument | None:
        """None if it is not available, or is the one that is known."""
        known = self._documents.get(service)
        try:
            response = await call(
                self._upstreams[service],
                "GET",
                "/openapi.json",
                timeout_seconds=FETCH_TIMEOUT_SECONDS,
                known_etag=known.etag if known else None,
            )
            if response.status != 200 or (known and known.content == response.body):
                return None
            document = response.json()
        except (DependencyUnavailable, ValueError) as error:
            log.debug("openapi.unavailable", service=service, error=repr(error))
            return None
        if not isinstance(document, dict):
            return None
        return _ServiceDocument(response.body, response.headers.get(b"etag"), _patterns(document))


def _merge(contents: Mapping[str, bytes]) -> _MergedDocument:
    merged = public_document({service: json.loads(content) for service, content in contents.items()})
    encoded = json.dumps({**merged, "servers": _SERVERS_MARK}, separators=(",", ":")).encode()
    before, _, after = encoded.partition(json.dumps(_SERVERS_MARK).encode())
    return _MergedDocument(before, after, hashlib.sha256(encoded).digest())


def public_document(documents: Mapping[str, OpenApiDocument]) -> OpenApiDocument:
    """The document of the public API, from the services' documents by service."""
    merged = merge_documents(documents, info=INFORMATION, servers=SERVERS, authentication_of=_authentication_of)
    add_own_operations(merged)
    add_examples(merged)
    return merged


def _authentication_of(method: str, path: str) -> Auth | None:
    if path in WELL_KNOWN:
        return Auth.PUBLIC
    if not path.startswith(BASE + "/"):
        return None
    route = find_route(method, split_path(path.removeprefix(BASE)))
    return route.auth if route else None


def _patterns(document: OpenApiDocument) -> list[tuple[PathPattern, list[str]]]:
    paths = document.get("paths", {})
    listed = [(path, [method.upper() for method in METHODS if method in item]) for path, item in paths.items()]
    listed.sort(key=lambda pair: pair[0].count("{"))
    return [(PathPattern(path), methods) for path, methods in listed if methods]
