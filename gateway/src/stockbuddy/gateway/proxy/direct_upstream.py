"""A service in the same process, called straight as the ASGI application that it is."""

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stockbuddy.chassis.http.errors import Problem
from stockbuddy.gateway.upstream.port import Interrupted

log = structlog.get_logger(__name__)


class DirectUpstream:
    """Whoever gave the application runs its lifespan."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def open(self) -> None:
        """Nothing to open: the application is here."""

    async def close(self) -> None:
        """Nothing to close."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal: Problem | None = None
        started = False

        async def receive_or_hang_up() -> Message:
            """A body that the gateway refuses looks to the service like a client that hung up."""
            nonlocal refusal
            if refusal is None:
                try:
                    return await receive()
                except Problem as problem:
                    refusal = problem
            return {"type": "http.disconnect"}

        async def send_unless_refused(message: Message) -> None:
            nonlocal started
            if refusal is None or started:
                started = True
                await send(message)

        try:
            await self._app(scope, receive_or_hang_up, send_unless_refused)
        except Exception as error:
            # Frameworks answer 500 and raise again, for servers to log; the service has logged it already.
            if refusal is None and not started:
                log.error("upstream.failed", path=scope["path"], exc_info=error)
                raise Problem("Something went wrong on our side; the request id helps to find it.") from error
        if refusal is not None:
            if started:
                raise Interrupted from refusal
            raise refusal
