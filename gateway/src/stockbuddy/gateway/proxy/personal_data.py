"""Exports of personal data: the response of the service that owns the person, with the sections of the services that
have copies. Without one of them there is no export, rather than an incomplete one."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from starlette.responses import JSONResponse
from starlette.types import Message, Scope

from stockbuddy.chassis.http.errors import Unavailable
from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.failures import DependencyUnavailable
from stockbuddy.contracts.internal import PERSONAL_DATA_PATH
from stockbuddy.gateway.proxy.client import call
from stockbuddy.gateway.proxy.response_writer import ResponseWriter
from stockbuddy.gateway.proxy.upstream import Upstream
from stockbuddy.gateway.request import GatewayRequest

log = structlog.get_logger(__name__)

HOLDERS: Mapping[str, tuple[str, Sequence[str]]] = {
    "customers": ("customer", ("notifications",)),
    "users": ("user", ("catalog", "stock", "notifications")),
}
"""Collection → the kind of its persons, and the services with copies of their data."""
TIMEOUT_SECONDS = 30.0
INCOMPLETE = "A service did not export its part."


class PersonalDataExporter:
    """`upstreams` by service name."""

    def __init__(self, upstreams: Mapping[str, Upstream]) -> None:
        self._upstreams = upstreams

    async def respond(self, request: GatewayRequest, scope: Scope, writer: ResponseWriter) -> None:
        """`scope`: the request as the owner receives it. Raises Unavailable."""
        owner = await self._call_owner(request, scope)
        if owner.status != 200:
            for message in owner.messages:
                await writer(message)
            return
        collection, person_id = request.path.split("/")[3:5]
        kind, services = HOLDERS[collection]
        path = PERSONAL_DATA_PATH.format(kind=kind, person_id=person_id)
        copies = await asyncio.gather(*(self._get(request, service, path) for service in services))
        export = merge_exports([json.loads(owner.body), *copies])
        response = JSONResponse(export, headers={"Cache-Control": "no-store"})
        await response(request.scope, request.receive, writer)

    async def _call_owner(self, request: GatewayRequest, scope: Scope) -> "_OwnersResponse":
        response = _OwnersResponse()
        await self._upstreams[request.route.service](scope, request.receive, response.send)
        return response

    async def _get(self, request: GatewayRequest, service: str, path: str) -> Any:
        authorization = request.caller.authorization.decode("latin-1") if request.caller else None
        try:
            response = await call(
                self._upstreams[service], "GET", path, timeout_seconds=TIMEOUT_SECONDS, authorization=authorization
            )
            if response.status == 200:
                return response.json()
        except (DependencyUnavailable, ValueError) as error:
            raise Unavailable(INCOMPLETE) from error
        log.error("personal_data.export_refused", service=service, status=response.status)
        raise Unavailable(INCOMPLETE)


@dataclass(slots=True)
class _OwnersResponse:
    messages: list[Message] = field(default_factory=list)

    async def send(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)


def merge_exports(exports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One export with the sections of all. Services may have sections of one name, such as jobs."""
    sections: dict[str, list[Any]] = {}
    for export in exports:
        for name, rows in export["sections"].items():
            sections.setdefault(name, []).extend(rows)
    return {
        "person": exports[0]["person"],
        "exported_at": clock.now().isoformat().replace("+00:00", "Z"),
        "sections": sections,
        "truncated": list(dict.fromkeys(name for export in exports for name in export["truncated"])),
    }
