"""A response of server-sent events (WHATWG HTML §9.2) with a write timeout."""

import asyncio
from collections.abc import AsyncIterator

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from stockbuddy.notifications.stream_limits import run_until_disconnect

log = structlog.get_logger(__name__)


class EventStream(Response):
    """Sends each of `frames`. Ends when they end, when the client disconnects, or when the client reads nothing for
    `stalled_seconds`: unread frames must not accumulate in memory."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncIterator[str], stalled_seconds: float) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._frames = frames
        self._stalled_seconds = stalled_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI signature
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await run_until_disconnect(self._send(send), _wait_for_disconnect(receive))

    async def _send(self, send: Send) -> None:
        try:
            async for frame in self._frames:
                async with asyncio.timeout(self._stalled_seconds):
                    await send({"type": "http.response.body", "body": frame.encode(), "more_body": True})
            async with asyncio.timeout(self._stalled_seconds):
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            log.info("stream.client_stalled")


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
