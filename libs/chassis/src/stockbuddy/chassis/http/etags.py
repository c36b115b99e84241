"""Conditional requests (RFC 9110 §13): entity tags, 304 if the client's copy is current, 412 if it is stale."""

import hashlib
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Header, Request, Response

from stockbuddy.chassis.http.entity_tags import matches
from stockbuddy.chassis.http.errors import PreconditionFailed
from stockbuddy.chassis.http.idempotency import IdempotentRoute


def version_etag(version: int) -> str:
    return f'"{version}"'


IfMatch = Annotated[str | None, Header(alias="If-Match")]
"""The request's `If-Match` header, for `require_match`."""


def require_match(if_match: str | None, current: str) -> None:
    """Raises PreconditionFailed if `if_match` names another version than `current`."""
    if if_match is not None and not matches(if_match, current):
        raise PreconditionFailed()


class ConditionalRoute(IdempotentRoute):
    """Route class whose GETs carry an entity tag (the handler's, or a digest of the body) and return 304 if it matches
    `If-None-Match`. Its POSTs are idempotent (see `IdempotentRoute`)."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        if "GET" in (options.get("methods") or ()):
            options["responses"] = {304: {"description": "Not Modified"}, **(options.get("responses") or {})}
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if not self.methods or "GET" not in self.methods:
            return handle

        async def handle_conditionally(request: Request) -> Response:
            response = await handle(request)
            body = getattr(response, "body", None)
            if response.status_code != 200 or body is None:
                return response
            etag = response.headers.get("etag") or f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
            response.headers["ETag"] = etag
            response.headers.setdefault("Cache-Control", "private, no-cache")
            known = request.headers.get("if-none-match")
            if known is not None and matches(known, etag):
                return Response(status_code=304, headers={"ETag": etag, "Cache-Control": "private, no-cache"})
            return response

        return handle_conditionally
