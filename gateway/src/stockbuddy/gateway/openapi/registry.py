"""What the services say they offer: asked now and then, kept while one of them is down, merged into one document."""

import asyncio
import hashlib
import json
from collections.abc import Iterable, Mapping

import structlog

from stockbuddy.chassis.http.errors import Problem
from stockbuddy.gateway.documents.merging import METHODS, Document, merge_documents
from stockbuddy.gateway.paths import BASE
from stockbuddy.gateway.routes import KEY_SET_PATH, Who, find_route
from stockbuddy.gateway.upstream.port import Upstream, ask

log = structlog.get_logger(__name__)

REFRESH_SECONDS = 30.0
MISSING_SECONDS = 1.0
ANSWER_SECONDS = 3.0
API_VERSION = "1.0.0"
"""Of the API, not of this program: grows with what clients can rely on."""
DESCRIPTION = """Inventory for shops and warehouses: one API in front of all services.

Every path needs an access token (`Authorization: Bearer`) or an API key (`X-API-Key`), except those marked open.
Errors are RFC 9457 problem documents; switch on their `code`."""


class Catalogue:
    def __init__(self, upstreams: Mapping[str, Upstream]) -> None:
        self._upstreams = upstreams
        self._documents: dict[str, Document] = {}
        self._templates: dict[str, list[list[str]]] = {}
        self._merged = b""
        self._refreshing = asyncio.Lock()

    async def run(self) -> None:
        while True:
            await self._refresh(self._upstreams)
            asked_at = asyncio.get_running_loop().time()
            while asyncio.get_running_loop().time() - asked_at < REFRESH_SECONDS:
                await asyncio.sleep(MISSING_SECONDS)
                await self._refresh(self._missing)

    @property
    def _missing(self) -> list[str]:
        return [service for service in self._upstreams if service not in self._documents]

    async def _refresh(self, services: Iterable[str]) -> None:
        """Ask these services; one that does not answer keeps the document it gave last."""
        asked = list(services)
        if not asked:
            return
        async with self._refreshing:
            found = await asyncio.gather(*map(self._fetch, asked))
            fresh = {service: document for service, document in zip(asked, found, strict=True) if document}
            if all(self._documents.get(service) == document for service, document in fresh.items()) and self._merged:
                return
            known = {**self._documents, **fresh}
            # In the order of the table, so that the same documents always merge into the same one.
            self._documents = {service: known[service] for service in self._upstreams if service in known}
            self._templates = {service: _templates(document) for service, document in self._documents.items()}
            merged = merge_documents(self._documents, info=_info(), is_open=_is_open)
            self._merged = json.dumps(merged, separators=(",", ":")).encode()

    async def _fetch(self, service: str) -> Document | None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                reply = await ask(self._upstreams[service], "GET", "/openapi.json")
            document = reply.document
        except (Problem, OSError, TimeoutError, ValueError) as error:
            log.debug("document.unavailable", service=service, error=repr(error))
            return None
        return document if reply.status == 200 and isinstance(document, dict) else None

    async def document(self) -> tuple[bytes, str]:
        """The merged document as JSON and its entity tag; of a service that never answered it knows nothing."""
        await self._refresh(self._missing)
        return self._merged, f'"{hashlib.sha256(self._merged).hexdigest()[:32]}"'

    def may_exist(self, service: str, path: str) -> bool:
        """False only when the service has said what it offers, and this path is not among it."""
        templates = self._templates.get(service)
        if templates is None or path == KEY_SET_PATH:
            return True
        segments = path.split("/")
        return any(_fits(template, segments) for template in templates)


def _info() -> Document:
    return {"title": "Stockbuddy", "version": API_VERSION, "description": DESCRIPTION}


def _is_open(method: str, path: str) -> bool | None:
    if path == KEY_SET_PATH:
        return True
    if not path.startswith(BASE + "/"):
        return None
    route = find_route(method, path.removeprefix(BASE))
    return route.who is not Who.CALLERS if route else None


def _templates(document: Document) -> list[list[str]]:
    paths = document.get("paths", {})
    return [path.split("/") for path, item in paths.items() if any(method in item for method in METHODS)]


def _fits(template: list[str], segments: list[str]) -> bool:
    return len(template) == len(segments) and all(
        mine == theirs or mine.startswith("{") for mine, theirs in zip(template, segments, strict=True)
    )
