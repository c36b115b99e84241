"""Cross-origin requests (CORS, Fetch standard): allowed origins, request headers and readable response headers."""

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
REQUEST_HEADERS = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "Traceparent",
    "X-API-Key",
    "X-CSRF-Token",
    "X-Request-ID",
)
RESPONSE_HEADERS = (
    "Content-Disposition",
    "ETag",
    "Idempotent-Replayed",
    "Location",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-ID",
)
PREFLIGHT_TTL_SECONDS = 3600


def with_cors(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """Wrap the outermost app, so that pages can read problems, too. Cookies are allowed for listed origins only."""
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=METHODS,
        allow_headers=REQUEST_HEADERS,
        expose_headers=RESPONSE_HEADERS,
        allow_credentials="*" not in origins,
        max_age=PREFLIGHT_TTL_SECONDS,
    )
