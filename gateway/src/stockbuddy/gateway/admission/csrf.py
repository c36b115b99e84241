"""CSRF protection of requests with a session cookie: double-submit token, and Origin check for WebSockets.

A name may occur several times in a Cookie header, because other hosts of the domain and other paths may set cookies of
that name. None of them is trusted to be ours: all values count, and auth decides which one is a session.
"""

import hmac
from collections.abc import Callable
from urllib.parse import urlsplit

from stockbuddy.contracts.browser_cookies import BrowserCookies, browser_cookies
from stockbuddy.gateway.admission.token_exchange import ExchangedToken
from stockbuddy.gateway.headers import HeaderList, RequestHeaders
from stockbuddy.gateway.request import GatewayRequest

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_COOKIES_OF_A_NAME = 5

OriginCheck = Callable[[str], bool]


class BrowserSessions:
    """Cookies by the same rules as in auth: `is_production` is a setting of both."""

    def __init__(self, is_allowed_origin: OriginCheck, *, is_production: bool) -> None:
        self._is_allowed_origin = is_allowed_origin
        self._is_production = is_production

    def cookies(self, request: GatewayRequest) -> BrowserCookies:
        secure = self._is_production or request.scheme == "https"
        return browser_cookies(secure=secure, path_prefix=request.origin.path_prefix)

    def secrets(self, request: GatewayRequest) -> list[str]:
        """The values of the session cookie, of which at most one is a session."""
        return cookie_values(request.headers, self.cookies(request).session)

    def renewed_cookies(self, request: GatewayRequest, secret: str, token: ExchangedToken) -> HeaderList:
        """`Set-Cookie` headers for a session that use has extended."""
        cookies = self.cookies(request)
        secure = "; Secure" if cookies.secure else ""
        attributes = f"; Max-Age={token.cookie_max_age}; Path={cookies.path}; SameSite=lax{secure}"
        lines = [f"{cookies.session}={secret}; HttpOnly{attributes}", f"{cookies.csrf}={token.csrf_token}{attributes}"]
        return [(b"set-cookie", line.encode("latin-1")) for line in lines]

    def has_valid_csrf_token(self, request: GatewayRequest, csrf_token: str | None) -> bool:
        """Another site can make a browser send the cookie, but can't read it to repeat it in `X-CSRF-Token`.
        `csrf_token` is the expected value, if auth returned one. Always True for safe methods."""
        if request.method in SAFE_METHODS:
            return True
        header = request.headers.parsed.get(b"x-csrf-token", b"")
        values = cookie_values(request.headers, self.cookies(request).csrf)
        return any(
            hmac.compare_digest(header, value.encode("latin-1"))
            and hmac.compare_digest(header, (csrf_token or value).encode("latin-1"))
            for value in values
        )

    def has_allowed_origin(self, headers: RequestHeaders) -> bool:
        """Browsers open WebSockets for any page and send its origin (RFC 6455 §10.2). Other clients send none."""
        origin = headers.parsed.get(b"origin")
        if origin is None:
            return True
        text = origin.decode("latin-1")
        host = headers.parsed.get(b"host", b"").decode("latin-1")
        return self._is_allowed_origin(text) or urlsplit(text).netloc.lower() == host.lower()


def cookie_values(headers: RequestHeaders, name: str) -> list[str]:
    """The distinct values of a cookie, in the order in which they were sent; empty ones are left out."""
    cookies = headers.parsed.get(b"cookie", b"").decode("latin-1")
    values: list[str] = []
    for cookie in cookies.split(";"):
        own_name, _, value = cookie.strip().partition("=")
        value = value.strip().removeprefix('"').removesuffix('"')
        if own_name == name and value and value not in values:
            values.append(value)
    return values[:MAX_COOKIES_OF_A_NAME]
