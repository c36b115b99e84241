"""Puts every 403 on record: somebody known tried what they may not do."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from stockbuddy.chassis import outbox
from stockbuddy.chassis.database import Database
from stockbuddy.chassis.errors import Forbidden
from stockbuddy.chassis.etags import CachedRoute
from stockbuddy.contracts.auth import AccessDenied

LONGEST_PATH = 200


Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class RecordingRoute(CachedRoute):
    """The route class of auth's calls by known callers."""

    def get_route_handler(self) -> Handler:
        return _on_record(super().get_route_handler())


class PublicRoute(APIRoute):
    """The route class of auth's calls by anybody: no idempotency keys, since these belong to callers."""

    def get_route_handler(self) -> Handler:
        return _on_record(super().get_route_handler())


def _on_record(handle: Handler) -> Handler:
    async def handle_on_record(request: Request) -> Response:
        try:
            return await handle(request)
        except Forbidden as refusal:
            await record_denial(request, refusal)
            raise

    return handle_on_record


async def record_denial(request: Request, refusal: Forbidden) -> None:
    """In a transaction of its own: that of the request was rolled back."""
    database: Database = request.app.state.database
    principal = getattr(request.state, "principal", None)
    denied = AccessDenied(
        service="auth",
        method=request.method,
        path=request.url.path[:LONGEST_PATH],
        code=refusal.code,
        user_id=principal.user_id if principal else None,
    )
    async with database.transaction() as session:
        outbox.add(session, denied)
