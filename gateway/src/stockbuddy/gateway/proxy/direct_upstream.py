"""A service in the same process, called as the ASGI app that it is."""

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stockbuddy.chassis.http.errors import Problem
from stockbuddy.chassis.http.request_context import FAILURE_DETAIL
from stockbuddy.gateway.proxy.upstream import ResponseInterrupted

log = structlog.get_logger(__name__)


class DirectUpstream:
    """The app's lifespan is the caller's responsibility."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    @property
    def replicas(self) -> tuple[int, int]:
        return 1, 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        rejection: Problem | None = None
        started = False

        async def receive_or_disconnect() -> Message:
            """A body that the gateway rejects looks to the service like a client disconnect."""
            nonlocal rejection
            if rejection is None:
                try:
                    return await receive()
                except Problem as problem:
                    rejection = problem
            return {"type": "http.disconnect"}

        async def send_unless_rejected(message: Message) -> None:
            nonlocal started
            if rejection is None or started:
                started = True
                await send(message)

        try:
            await self._app(scope, receive_or_disconnect, send_unless_rejected)
        except Exception as error:
            # Frameworks respond with 500 and raise again for the server to log; the service has logged it already.
            if rejection is None and not started:
                log.error("upstream.failed", path=scope["path"], exc_info=error)
                raise Problem(FAILURE_DETAIL) from error
        if rejection is not None:
            if started:
                raise ResponseInterrupted from rejection
            raise rejection
