"""Cross-origin requests (CORS, Fetch standard): allowed origins, request headers and readable response headers."""

import re
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
REQUEST_HEADERS = (
    "Authorization",
    "Baggage",
    "Cache-Control",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "Last-Event-ID",
    "Pragma",
    "Prefer",
    "Range",
    "Traceparent",
    "Tracestate",
    "X-API-Key",
    "X-Consistency",
    "X-CSRF-Token",
    "X-Request-ID",
    "X-Requested-With",
)
RESPONSE_HEADERS = (
    "Allow",
    "Content-Disposition",
    "Content-Range",
    "ETag",
    "Idempotent-Replayed",
    "Location",
    "Preference-Applied",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "WWW-Authenticate",
    "X-Consistency",
    "X-Request-ID",
)
PREFLIGHT_TTL_SECONDS = 3600
LOCAL_ORIGIN = r"http://(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?"
"""Allowed in development: a web client's own server on the same machine."""


class _CorsHeaders(CORSMiddleware):
    """Adds the headers of CORS to every response. Preflights reach the app, too, which answers them after its checks
    of host and rate."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self.simple_response(scope, receive, send, request_headers=Headers(scope=scope))
        else:
            await self.app(scope, receive, send)

    async def send(self, message: Message, send: Send, request_headers: Headers) -> None:
        """A response that every origin may read has the header already: caches keep one response for all origins."""
        if any(name == b"access-control-allow-origin" for name, _ in message.get("headers", ())):
            await send(message)
        else:
            await super().send(message, send, request_headers)


class AllowedOrigins:
    """`origins` as `https://shop.example`; `*` allows any, without cookies. Local ones are allowed in development."""

    def __init__(self, origins: Sequence[str], *, is_development: bool) -> None:
        self._origins = frozenset(origins)
        self._pattern = LOCAL_ORIGIN if is_development else None
        self._middleware: _CorsHeaders | None = None

    def __call__(self, origin: str) -> bool:
        """Whether pages of this origin may open WebSockets with a cookie."""
        return origin in self._origins or bool(self._pattern and re.fullmatch(self._pattern, origin))

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """Wrap the outermost app, so that pages can read problems, too. Cookies are allowed for listed origins only."""
        if not self._origins and self._pattern is None:
            return app
        allows_any = "*" in self._origins
        self._middleware = _CorsHeaders(
            app,
            allow_origins=sorted(self._origins),
            allow_origin_regex=None if allows_any else self._pattern,
            allow_methods=METHODS,
            allow_headers=REQUEST_HEADERS,
            expose_headers=RESPONSE_HEADERS,
            allow_credentials=not allows_any,
            max_age=PREFLIGHT_TTL_SECONDS,
        )
        return self._middleware

    def preflight_response(self, scope: Scope) -> Response | None:
        """The response to a preflight; None for other requests, and if no origin is allowed."""
        headers = Headers(scope=scope)
        if self._middleware is None or "origin" not in headers or "access-control-request-method" not in headers:
            return None
        return self._middleware.preflight_response(request_headers=headers)
