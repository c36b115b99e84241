"""The services' OpenAPI documents: fetched periodically, kept while a service is unavailable, merged into one."""

import asyncio
import hashlib
import json
from collections.abc import Iterable, Mapping

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

log = structlog.get_logger(__name__)

REFRESH_INTERVAL_SECONDS = 30.0
MISSING_INTERVAL_SECONDS = 1.0
FETCH_TIMEOUT_SECONDS = 3.0
MAX_PATH_PREFIXES = 16


class OpenApiRegistry:
    def __init__(self, upstreams: Mapping[str, Upstream]) -> None:
        self._upstreams = upstreams
        self._documents: dict[str, OpenApiDocument] = {}
        self._patterns: dict[str, list[tuple[PathPattern, list[str]]]] = {}
        """Path patterns with their methods, by service; the most specific first: `/sales/batch`, `/sales/{}`."""
        self._merged: OpenApiDocument = {}
        self._encoded: dict[str, tuple[bytes, str]] = {}
        """The merged document and its entity tag, by path prefix."""
        self._lock = asyncio.Lock()
        self._refreshed_at = float("-inf")
        self.worker = PollingWorker("openapi documents", self._poll, interval_seconds=MISSING_INTERVAL_SECONDS)

    async def document(self, path_prefix: str) -> tuple[bytes, str]:
        """The merged document as JSON, and its entity tag. Services that have never responded are missing."""
        await self._refresh(self._missing)
        if path_prefix not in self._encoded:
            if len(self._encoded) >= MAX_PATH_PREFIXES:
                self._encoded.clear()
            document = {**self._merged, "servers": [{"url": path_prefix or "/", "description": "This server."}]}
            encoded = json.dumps(document, separators=(",", ":")).encode()
            self._encoded[path_prefix] = encoded, f'"{hashlib.sha256(encoded).hexdigest()[:32]}"'
        return self._encoded[path_prefix]

    def may_exist(self, service: str, path: str) -> bool:
        """False if the service's document is known and does not contain this path."""
        patterns = self._patterns.get(service)
        if patterns is None or path in WELL_KNOWN:
            return True
        segments = split_path(path)
        return any(pattern.matches(segments) for pattern, _ in patterns)

    def methods(self, service: str, path: str) -> list[str]:
        """The methods of a path; of one whose service's document is not known or does not contain it, none."""
        segments = split_path(path)
        patterns = self._patterns.get(service, ())
        return next((methods for pattern, methods in patterns if pattern.matches(segments)), [])

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
            responses = await asyncio.gather(*map(self._fetch, requested))
            fetched = {service: document for service, document in zip(requested, responses, strict=True) if document}
            if all(self._documents.get(service) == document for service, document in fetched.items()) and self._merged:
                return
            documents = self._documents | fetched
            # In a fixed order, so that equal documents merge into an equal result, with the same entity tag.
            self._documents = {service: documents[service] for service in self._upstreams if service in documents}
            own = {"gateway": [(PathPattern(BASE + STATUS_PATH), ["GET"])]}
            self._patterns = own | {service: _patterns(document) for service, document in self._documents.items()}
            self._merged = public_document(self._documents)
            self._encoded.clear()

    async def _fetch(self, service: str) -> OpenApiDocument | None:
        try:
            response = await call(
                self._upstreams[service], "GET", "/openapi.json", timeout_seconds=FETCH_TIMEOUT_SECONDS
            )
            document = response.json()
        except (DependencyUnavailable, ValueError) as error:
            log.debug("openapi.unavailable", service=service, error=repr(error))
            return None
        return document if response.status == 200 and isinstance(document, dict) else None


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
