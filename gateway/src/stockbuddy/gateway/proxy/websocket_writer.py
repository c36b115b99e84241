"""What goes back to a WebSocket's client: the service's side of it, or a refusal before it begins."""

from starlette.types import Message, Receive, Scope, Send

from stockbuddy.chassis.http.errors import Problem, Unauthenticated, problem_response
from stockbuddy.chassis.messaging.event_context import EventContext, event_context

SESSION_ENDED = 1008
INTERNAL_ERROR = 1011


class Conversation:
    """The `send` that a service talks through."""

    def __init__(self, send: Send, request_id: bytes) -> None:
        self._send = send
        self._request_id = request_id
        self._begun = False
        self._over = False

    async def __call__(self, message: Message) -> None:
        self._begun = True
        if message["type"] == "websocket.accept":
            message = {**message, "headers": [(b"x-request-id", self._request_id)]}
        elif message["type"] == "websocket.close":
            self._over = True
        await self._send(message)

    async def end(self) -> None:
        """The session is over, and so is this (RFC 6455 §7.4.1: policy)."""
        if not self._begun:
            raise Unauthenticated("The session has ended.")
        await self._close(SESSION_ENDED)

    async def refuse(self, problem: Problem, scope: Scope, receive: Receive) -> None:
        """A problem instead of a handshake; in the middle of a conversation only a close code is left."""
        if self._begun:
            await self._close(INTERNAL_ERROR)
            return
        request_id = self._request_id.decode()
        with event_context(EventContext(request_id=request_id)):
            response = problem_response(problem)
        response.headers["X-Request-ID"] = request_id
        await response(scope, receive, self._send)

    async def _close(self, code: int) -> None:
        if not self._over:
            self._over = True
            await self._send({"type": "websocket.close", "code": code})
