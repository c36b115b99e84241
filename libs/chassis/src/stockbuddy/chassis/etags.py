"""Conditional requests (RFC 9110 §13): entity tags, 304 for what the client has, 412 for what it has missed."""

import hashlib
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response

from stockbuddy.chassis.errors import PreconditionFailed
from stockbuddy.chassis.idempotency import IdempotentRoute


def version_etag(version: int) -> str:
    return f'"{version}"'


def require_match(request: Request, current: str) -> None:
    """Raises PreconditionFailed when `If-Match` names another state than `current`."""
    wanted = request.headers.get("if-match")
    if wanted is not None and not _any_matches(wanted, current):
        raise PreconditionFailed()


def _any_matches(header: str, current: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return "*" in tags or current.removeprefix("W/") in tags


class CachedRoute(IdempotentRoute):
    """GETs carry an entity tag (the handler's, or a digest of the body) and answer 304 to a client that has it."""

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
            if known is not None and _any_matches(known, etag):
                return Response(status_code=304, headers={"ETag": etag, "Cache-Control": "private, no-cache"})
            return response

        return handle_conditionally
