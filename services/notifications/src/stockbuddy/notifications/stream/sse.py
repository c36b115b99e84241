"""A response of server-sent events (WHATWG HTML §9.2) that lets go of a client that does not read."""

import asyncio
from collections.abc import AsyncIterator

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from stockbuddy.notifications.stream.stream_limits import while_connected

log = structlog.get_logger(__name__)


class EventStream(Response):
    """Sends each text that `texts` yields. Ends with it, when the client goes, or when the client takes nothing for
    `stalled_seconds`: what it does not read must not pile up here."""

    media_type = "text/event-stream"

    def __init__(self, texts: AsyncIterator[str], stalled_seconds: float) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._texts = texts
        self._stalled_seconds = stalled_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as ASGI calls it
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await while_connected(self._send(send), _left(receive))

    async def _send(self, send: Send) -> None:
        try:
            async for text in self._texts:
                async with asyncio.timeout(self._stalled_seconds):
                    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
            async with asyncio.timeout(self._stalled_seconds):
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            log.info("stream.client_stalled")


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
