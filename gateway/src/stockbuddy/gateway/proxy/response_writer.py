"""What goes back to a client: the service's answer with the gateway's own headers, or a problem (RFC 9457)."""

import time

from starlette.types import Message, Receive, Scope, Send

from stockbuddy.chassis.http.errors import Problem, Unauthenticated, problem_response
from stockbuddy.chassis.messaging.event_context import EventContext, event_context
from stockbuddy.gateway.admission.incoming import HeaderList

CONTENT_SECURITY_POLICY = b"content-security-policy"
CACHE_CONTROL = b"cache-control"
CLOSES = (b"connection", b"close")

GUARDS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-site"),
)
NO_CONTENT_RUNS = (CONTENT_SECURITY_POLICY, b"default-src 'none'; frame-ancestors 'none'")
HTTPS_FROM_NOW_ON = (b"strict-transport-security", b"max-age=31536000")
ASK_AGAIN = (CACHE_CONTROL, b"private, no-cache")
"""What a service says nothing about may be kept by its client alone, and used when we say that it still holds."""

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
        b"strict-transport-security",
        b"x-powered-by",
        b"x-request-id",
        *(name for name, _ in GUARDS),
    }
)


class Answer:
    """The `send` that a service (or the gateway itself) answers a request through."""

    __slots__ = ("_own_headers", "_request_id", "_send", "complete", "started_at", "status")

    def __init__(self, send: Send, request_id: bytes, *, secure: bool) -> None:
        self._send = send
        self._request_id = request_id
        self._own_headers: HeaderList = [(b"x-request-id", request_id), *GUARDS]
        if secure:
            self._own_headers.append(HTTPS_FROM_NOW_ON)
        self.status = 0
        """0 until the answer has begun."""
        self.started_at = 0.0
        self.complete = False

    def add_headers(self, headers: HeaderList) -> None:
        self._own_headers += headers

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.started_at = time.perf_counter()
            headers = [header for header in message["headers"] if header[0] not in _ENDS_HERE]
            headers += self._own_headers
            self._add_unless_said(headers)
            message = {"type": "http.response.start", "status": self.status, "headers": headers}
        elif not message.get("more_body", False):
            self.complete = True
        await self._send(message)

    def _add_unless_said(self, headers: HeaderList) -> None:
        said = {header[0] for header in headers}
        if CONTENT_SECURITY_POLICY not in said:
            headers.append(NO_CONTENT_RUNS)
        if CACHE_CONTROL not in said:
            headers.append(ASK_AGAIN)

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
        if "Connection" in problem.headers:
            self._own_headers.append(CLOSES)
        with event_context(EventContext(request_id=self._request_id.decode())):
            response = problem_response(problem)
        await response(scope, receive, self)
