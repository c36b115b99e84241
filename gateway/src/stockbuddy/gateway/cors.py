"""Cross-origin requests (CORS, Fetch standard): allowed origins, request headers and readable response headers."""

import re
from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

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


class AllowedOrigins:
    """`origins` as `https://shop.example`; `*` allows any, without cookies. Local ones are allowed in development."""

    def __init__(self, origins: Sequence[str], *, is_development: bool) -> None:
        self._origins = frozenset(origins)
        self._pattern = LOCAL_ORIGIN if is_development else None

    def __call__(self, origin: str) -> bool:
        """Whether pages of this origin may open WebSockets with a cookie."""
        return origin in self._origins or bool(self._pattern and re.fullmatch(self._pattern, origin))

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """Wrap the outermost app, so that pages can read problems, too. Cookies are allowed for listed origins only."""
        if not self._origins and self._pattern is None:
            return app
        allows_any = "*" in self._origins
        return CORSMiddleware(
            app,
            allow_origins=sorted(self._origins),
            allow_origin_regex=None if allows_any else self._pattern,
            allow_methods=METHODS,
            allow_headers=REQUEST_HEADERS,
            expose_headers=RESPONSE_HEADERS,
            allow_credentials=not allows_any,
            max_age=PREFLIGHT_TTL_SECONDS,
        )
