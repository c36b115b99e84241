"""What goes back to a client: the service's answer with the gateway's own headers, or a problem (RFC 9457)."""

import time

from starlette.types import Message, Receive, Scope, Send

from stockbuddy.chassis.errors import Problem, Unauthenticated, problem_response
from stockbuddy.chassis.origin import Origin, originating

_ENDS_HERE = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        # Said once, by the gateway.
        b"date",
        b"server",
        b"x-powered-by",
        b"x-request-id",
    }
)


class Answer:
    """The `send` that a service (or the gateway itself) answers a request through."""

    __slots__ = ("_request_id", "_send", "complete", "started_at", "status")

    def __init__(self, send: Send, request_id: bytes) -> None:
        self._send = send
        self._request_id = request_id
        self.status = 0
        """0 until the answer has begun."""
        self.started_at = 0.0
        self.complete = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.started_at = time.perf_counter()
            headers = [header for header in message["headers"] if header[0] not in _ENDS_HERE]
            headers.append((b"x-request-id", self._request_id))
            message = {"type": "http.response.start", "status": self.status, "headers": headers}
        elif not message.get("more_body", False):
            self.complete = True
        await self._send(message)

    async def end(self) -> None:
        """The session is over, and so is its stream."""
        if not self.status:
            raise Unauthenticated("The session has ended.")
        if not self.complete:
            await self({"type": "http.response.body", "body": b""})

    async def refuse(self, problem: Problem, scope: Scope, receive: Receive) -> None:
        """Answer with a problem. Once an answer has begun it is too late for that: it is left broken off."""
        if self.status:
            return
        request_id = self._request_id.decode()
        with originating(Origin(request_id=request_id)):
            response = problem_response(problem)
        response.headers["X-Request-ID"] = request_id
        self.status, self.started_at, self.complete = problem.status, time.perf_counter(), True
        await response(scope, receive, self._send)
