"""Writes a service's WebSocket messages to the client, or a problem instead of the handshake."""

import time

from starlette.types import Message, Receive, Scope, Send

from stockbuddy.chassis.http.errors import Problem, Unauthenticated, problem_response
from stockbuddy.chassis.runtime.event_context import EventContext, event_context
from stockbuddy.gateway.headers import HeaderList

POLICY_VIOLATION = 1008
INTERNAL_ERROR = 1011


class WebSocketWriter:
    """The `send` of a service in a WebSocket."""

    def __init__(self, send: Send, request_id: bytes) -> None:
        self._send = send
        self._request_id = request_id
        self._started = False
        self._closed = False
        self.status = 0
        """101 once the handshake is accepted, or that of the problem."""
        self.started_at = 0.0

    def add_headers(self, headers: HeaderList) -> None:
        """Ignored: the handshake's response has no rate limit headers."""

    async def __call__(self, message: Message) -> None:
        self._started = True
        if message["type"] == "websocket.accept":
            message = {**message, "headers": [(b"x-request-id", self._request_id)]}
            self.status, self.started_at = 101, time.perf_counter()
        elif message["type"] == "websocket.close":
            self._closed = True
        await self._send(message)

    async def end_session(self) -> None:
        """Close the WebSocket because its session has ended (RFC 6455 §7.4.1). Raises Unauthenticated before the
        handshake."""
        if not self._started:
            raise Unauthenticated("The session has ended.")
        await self._close(POLICY_VIOLATION)

    async def reject(self, problem: Problem, scope: Scope, receive: Receive) -> None:
        """Respond to the handshake with a problem; after the handshake only a close code can be sent."""
        if self._started:
            await self._close(INTERNAL_ERROR)
            return
        self.status, request_id = problem.status, self._request_id.decode()
        with event_context(EventContext(request_id=request_id)):
            response = problem_response(problem)
        response.headers["X-Request-ID"] = request_id
        await response(scope, receive, self._send)

    async def _close(self, code: int) -> None:
        if not self._closed:
            self._closed = True
            await self._send({"type": "websocket.close", "code": code})
