"""How much a client may send, and how slowly: declared sizes are believed only to refuse, the rest is counted."""

import asyncio

from starlette.types import Message, Receive

from stockbuddy.chassis.http.errors import BadRequest, TooLarge
from stockbuddy.gateway.errors import SlowBody


def refuse_declared_size(content_length: bytes | None, most_bytes: int) -> None:
    """Raises TooLarge before a byte of the body is read, and BadRequest for what is no length."""
    if content_length is None:
        return
    if not content_length.isdigit():
        raise BadRequest("Content-Length is not a number.")
    if int(content_length) > most_bytes:
        raise _too_large(most_bytes)


class CountedBody:
    """A `receive` that raises TooLarge or SlowBody when a body exceeds its limits; after the body it just waits."""

    def __init__(self, receive: Receive, *, most_bytes: int, seconds: float) -> None:
        self._receive = receive
        self._most_bytes = most_bytes
        self._deadline = asyncio.get_running_loop().time() + seconds
        self._bytes = 0
        self._more = True

    async def __call__(self) -> Message:
        if not self._more:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError as error:
            raise SlowBody from error
        self._bytes += len(message.get("body", b""))
        self._more = message.get("more_body", False)
        if self._bytes > self._most_bytes:
            raise _too_large(self._most_bytes)
        return message


def _too_large(most_bytes: int) -> TooLarge:
    return TooLarge(f"A body may have at most {most_bytes} bytes here.", max_bytes=most_bytes)
