"""The cookies of a browser session, which auth sets and the gateway reads (name prefixes: RFC 6265bis §4.1.3)."""

from dataclasses import dataclass

SESSION_COOKIE = "session"
CSRF_COOKIE = "csrf_token"


@dataclass(frozen=True, slots=True)
class BrowserCookies:
    """Names and attributes of the session cookie and of the CSRF token's cookie."""

    session: str
    csrf: str
    path: str
    secure: bool


def browser_cookies(*, secure: bool, path_prefix: str) -> BrowserCookies:
    """`secure`: the request came by HTTPS, or must (production). Neither other hosts nor plain HTTP can set a cookie
    with the prefix `__Host-`, which requires the path `/`; under a path prefix the cookies have `__Secure-`."""
    name_prefix = ""
    if secure:
        name_prefix = "__Secure-" if path_prefix else "__Host-"
    return BrowserCookies(name_prefix + SESSION_COOKIE, name_prefix + CSRF_COOKIE, path_prefix or "/", secure)
