"""What a browser that shows its session cookie must show besides, because it sends cookies to every site that asks it to."""

import hmac
from urllib.parse import urlsplit

from starlette.requests import cookie_parser

from stockbuddy.gateway.admission.incoming import Incoming

SESSION_COOKIE = "session"
CSRF_COOKIE = "csrf_token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def cookies_of(incoming: Incoming) -> dict[str, str]:
    cookie = incoming.noted.get(b"cookie")
    return cookie_parser(cookie.decode("latin-1")) if cookie else {}


def is_of_our_page(incoming: Incoming, method: str, cookies: dict[str, str], csrf_token: str | None) -> bool:
    """Double submit: a foreign page can make a browser send the cookie, but can't read it to repeat it in a header.
    `csrf_token` is what auth says it must be, if it does."""
    if method in SAFE_METHODS:
        return True
    repeated = incoming.noted.get(b"x-csrf-token", b"")
    in_cookie = cookies.get(CSRF_COOKIE, "")
    return all(
        expected and hmac.compare_digest(repeated, expected.encode())
        for expected in (in_cookie, csrf_token or in_cookie)
    )


def is_our_pages_socket(incoming: Incoming, allowed_origins: frozenset[str]) -> bool:
    """Browsers open WebSockets for any page and say whose it is (RFC 6455 §10.2)."""
    origin = incoming.noted.get(b"origin")
    if origin is None:
        return True
    text = origin.decode("latin-1")
    host = incoming.noted.get(b"host", b"").decode("latin-1")
    return text in allowed_origins or urlsplit(text).netloc.lower() == host.lower()
