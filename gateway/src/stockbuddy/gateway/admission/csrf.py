"""CSRF protection of requests with a session cookie: double-submit token, and Origin check for WebSockets."""

import hmac
from urllib.parse import urlsplit

from starlette.requests import cookie_parser

from stockbuddy.gateway.headers import RequestHeaders

SESSION_COOKIE = "session"
CSRF_COOKIE = "csrf_token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def parse_cookies(headers: RequestHeaders) -> dict[str, str]:
    cookie = headers.parsed.get(b"cookie")
    return cookie_parser(cookie.decode("latin-1")) if cookie else {}


def has_valid_csrf_token(headers: RequestHeaders, method: str, cookies: dict[str, str], csrf_token: str | None) -> bool:
    """Another site can make a browser send the cookie, but can't read it to repeat it in `X-CSRF-Token`. `csrf_token`
    is the expected value, if auth returned one. Always True for safe methods."""
    if method in SAFE_METHODS:
        return True
    header = headers.parsed.get(b"x-csrf-token", b"")
    cookie = cookies.get(CSRF_COOKIE, "")
    return all(
        expected and hmac.compare_digest(header, expected.encode()) for expected in (cookie, csrf_token or cookie)
    )


def has_allowed_origin(headers: RequestHeaders, allowed_origins: frozenset[str]) -> bool:
    """Browsers open WebSockets for any page and send its origin (RFC 6455 §10.2). Other clients send none."""
    origin = headers.parsed.get(b"origin")
    if origin is None:
        return True
    text = origin.decode("latin-1")
    host = headers.parsed.get(b"host", b"").decode("latin-1")
    return text in allowed_origins or urlsplit(text).netloc.lower() == host.lower()
