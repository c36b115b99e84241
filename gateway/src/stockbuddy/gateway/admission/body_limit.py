"""Limits on the size of a request body and on the time it takes.

A declared size above the limit is rejected before the body is read; a smaller one is not trusted: bytes are counted.
"""

import asyncio

from starlette.types import Message, Receive

from stockbuddy.chassis.http.errors import BadRequest, TooLarge
from stockbuddy.gateway.errors import RequestTimeout
from stockbuddy.gateway.request import GatewayRequest
from stockbuddy.gateway.routing.routes import MEBIBYTE


class BodyLimit:
    def __init__(self, *, seconds_per_mebibyte: float) -> None:
        """The timeout grows with the route's limit, so that large uploads get the time they need."""
        self._seconds_per_mebibyte = seconds_per_mebibyte

    def apply(self, request: GatewayRequest) -> None:
        """Limit what `request.receive` returns. Raises TooLarge and BadRequest."""
        if not request.headers.has_body:
            return
        max_bytes = request.route.max_body_bytes
        _check_declared_size(request.headers.parsed.get(b"content-length"), max_bytes)
        timeout_seconds = self._seconds_per_mebibyte * max(1.0, max_bytes / MEBIBYTE)
        request.receive = LimitedBody(request.receive, max_bytes=max_bytes, timeout_seconds=timeout_seconds)


class LimitedBody:
    """A `receive` that raises TooLarge or RequestTimeout if the body exceeds its limits. The timeout starts with the
    first call, so authentication does not count; after the body there is none, since a client may wait for long."""

    __slots__ = ("_bytes", "_deadline", "_max_bytes", "_more", "_receive", "_timeout_seconds")

    def __init__(self, receive: Receive, *, max_bytes: int, timeout_seconds: float) -> None:
        self._receive = receive
        self._max_bytes = max_bytes
        self._timeout_seconds = timeout_seconds
        self._deadline: float | None = None
        self._bytes = 0
        self._more = True

    async def __call__(self) -> Message:
        if not self._more:
            return await self._receive()
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().time() + self._timeout_seconds
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError as error:
            raise RequestTimeout from error
        self._bytes += len(message.get("body", b""))
        self._more = message.get("more_body", False)
        if self._bytes > self._max_bytes:
            raise _too_large(self._max_bytes)
        return message


def _check_declared_size(content_length: bytes | None, max_bytes: int) -> None:
    if content_length is None:
        return
    if not content_length.isdigit():
        raise BadRequest("Content-Length is not a number.")
    if int(content_length) > max_bytes:
        raise _too_large(max_bytes)


def _too_large(max_bytes: int) -> TooLarge:
    return TooLarge(f"The body must have at most {max_bytes} bytes.", max_bytes=max_bytes)
