"""Which other sites' pages may call the API, and what of the answers they may read (the Fetch standard, CORS)."""

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
ANSWER_HEADERS = (
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
PREFLIGHT_SECONDS = 3600


def with_cors(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """Outermost, so that a page may read refusals too. Cookies are for listed origins, never for any."""
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=METHODS,
        allow_headers=REQUEST_HEADERS,
        expose_headers=ANSWER_HEADERS,
        allow_credentials="*" not in origins,
        max_age=PREFLIGHT_SECONDS,
    )
