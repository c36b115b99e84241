"""What a browser that shows its session cookie must show besides, because it shows cookies to anyone who asks it to."""

import hmac
from urllib.parse import urlsplit

from starlette.requests import cookie_parser

from stockbuddy.gateway.admission.incoming import Incoming
from stockbuddy.gateway.errors import ForeignPage

SESSION_COOKIE = "session"
CSRF_COOKIE = "csrf_token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def cookies_of(incoming: Incoming) -> dict[str, str]:
    cookie = incoming.noted.get(b"cookie")
    return cookie_parser(cookie.decode("latin-1")) if cookie else {}


def refuse_foreign_form(incoming: Incoming, method: str, cookies: dict[str, str], csrf_token: str | None) -> None:
    """Double submit: a foreign page can make a browser send the cookie, but can't read it to repeat it in a header.
    `csrf_token` is what auth says it must be, if it does. Raises ForeignPage."""
    if method in SAFE_METHODS:
        return
    repeated = incoming.noted.get(b"x-csrf-token", b"")
    for expected in {cookies.get(CSRF_COOKIE, ""), csrf_token or cookies.get(CSRF_COOKIE, "")}:
        if not expected or not hmac.compare_digest(repeated, expected.encode()):
            raise ForeignPage


def refuse_foreign_socket(incoming: Incoming, allowed_origins: frozenset[str]) -> None:
    """Browsers open WebSockets for any page and say whose it is (RFC 6455 §10.2). Raises ForeignPage."""
    origin = incoming.noted.get(b"origin")
    if origin is None:
        return
    text = origin.decode("latin-1")
    host = incoming.noted.get(b"host", b"").decode("latin-1")
    if urlsplit(text).netloc.lower() != host.lower() and text not in allowed_origins:
        raise ForeignPage
