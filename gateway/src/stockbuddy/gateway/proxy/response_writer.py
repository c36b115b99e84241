"""Writes a service's response with the gateway's own headers, or a problem (RFC 9457)."""

import time
from collections.abc import Callable

from starlette.types import Message, Receive, Scope, Send

from stockbuddy.chassis.http.consistency import CONSISTENCY_HEADER
from stockbuddy.chassis.http.errors import Problem, Unauthenticated, problem_response
from stockbuddy.chassis.runtime.event_context import EventContext, event_context
from stockbuddy.gateway.client_address import ClientOrigin
from stockbuddy.gateway.headers import HOP_BY_HOP, HeaderList

CONTENT_SECURITY_POLICY = b"content-security-policy"
CACHE_CONTROL = b"cache-control"
CONSISTENCY = CONSISTENCY_HEADER.lower().encode()
SET_COOKIE = b"set-cookie"

SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-site"),
)
EMBEDDABLE = (b"cross-origin-resource-policy", b"cross-origin")
DEFAULT_CSP = (CONTENT_SECURITY_POLICY, b"default-src 'none'; frame-ancestors 'none'")
HSTS = (b"strict-transport-security", b"max-age=31536000")
PUBLIC = b"public"
"""How `Cache-Control` begins if shared caches may keep a response."""
OF_ONE_CALLER = frozenset({SET_COOKIE, b"ratelimit-limit", b"ratelimit-remaining", b"ratelimit-reset"})
"""Headers that a shared cache must not give to others."""
DEFAULT_CACHE_CONTROL = (CACHE_CONTROL, b"private, no-cache")
"""Cacheable by the client alone, and revalidated before each use."""
CONNECTION_CLOSE = (b"connection", b"close")

_DROPPED = HOP_BY_HOP | {
    # Set by the gateway or its server, exactly once.
    b"date",
    b"server",
    b"strict-transport-security",
    b"x-powered-by",
    b"x-request-id",
    *(name for name, _ in SECURITY_HEADERS),
}


class ResponseWriter:
    """The `send` of a service, or of the gateway's own endpoints."""

    __slots__ = ("_own_headers", "_request_id", "_send", "complete", "record_consistency", "started_at", "status")

    def __init__(self, send: Send, request_id: bytes, origin: ClientOrigin) -> None:
        self._send = send
        self._request_id = request_id
        self._own_headers: HeaderList = [(b"x-request-id", request_id), *SECURITY_HEADERS]
        if origin.scheme == "https":
            self._own_headers.append(HSTS)
        self.status = 0
        """0 until the response has started."""
        self.started_at = 0.0
        self.complete = False
        self.record_consistency: Callable[[str], None] | None = None
        """Called with the response's `X-Consistency` before the client receives it."""

    def add_headers(self, headers: HeaderList) -> None:
        self._own_headers += headers

    def allow_embedding(self) -> None:
        """Let pages of every site show the response, as an image."""
        self._own_headers = [EMBEDDABLE if header[0] == EMBEDDABLE[0] else header for header in self._own_headers]

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.started_at = time.perf_counter()
            headers = [header for header in message["headers"] if header[0] not in _DROPPED]
            headers += self._own_headers_beside(headers)
            names = _add_defaults(headers)
            if self.record_consistency is not None and CONSISTENCY in names:
                self.record_consistency(next(value for name, value in headers if name == CONSISTENCY).decode("latin-1"))
            message = {"type": "http.response.start", "status": self.status, "headers": headers}
        elif not message.get("more_body", False):
            self.complete = True
        await self._send(message)

    def _own_headers_beside(self, headers: HeaderList) -> HeaderList:
        """Cookies that the service sets (a new session, a logout) replace the renewed ones of the old session. A shared
        cache keeps one response for all callers and all sites."""
        if any(name == CACHE_CONTROL and value.startswith(PUBLIC) for name, value in headers):
            self.allow_embedding()
            return [header for header in self._own_headers if header[0] not in OF_ONE_CALLER]
        if any(name == SET_COOKIE for name, _ in headers):
            return [header for header in self._own_headers if header[0] != SET_COOKIE]
        return self._own_headers

    async def end_session(self) -> None:
        """End the response because its session has ended. Raises Unauthenticated if the response has not started."""
        if not self.status:
            raise Unauthenticated("The session has ended.")
        if not self.complete:
            await self({"type": "http.response.body", "body": b""})

    async def reject(self, problem: Problem, scope: Scope, receive: Receive) -> None:
        """Respond with a problem, unless a response has started: that one is left incomplete."""
        if self.status:
            return
        if "Connection" in problem.headers:
            self._own_headers.append(CONNECTION_CLOSE)
        with event_context(EventContext(request_id=self._request_id.decode())):
            response = problem_response(problem)
        await response(scope, receive, self)


def _add_defaults(headers: HeaderList) -> set[bytes]:
    """Returns the names of the headers before."""
    names = {header[0] for header in headers}
    if CONTENT_SECURITY_POLICY not in names:
        headers.append(DEFAULT_CSP)
    if CACHE_CONTROL not in names:
        headers.append(DEFAULT_CACHE_CONTROL)
    return names
