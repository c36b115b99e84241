"""The cookies of a browser session: an HttpOnly one with the session's secret, and one that scripts read to repeat it
in a header as protection against CSRF (OWASP: signed double submit cookie, derived from the first)."""

import hmac

from fastapi import Request, Response

from stockbuddy.auth.sessions.model import LoginSession
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.contracts.browser_cookies import BrowserCookies, browser_cookies


def csrf_token(session_cookie: str) -> str:
    """The value that requests with unsafe methods repeat in `X-CSRF-Token`."""
    return hmac.digest(session_cookie.encode(), b"csrf", "sha256").hex()


def cookies_for(request: Request, settings: AuthSettings) -> BrowserCookies:
    """Names and attributes of the cookies, by the scheme and path prefix that the gateway reports."""
    is_https = request.headers.get("x-forwarded-proto") == "https"
    return browser_cookies(
        secure=settings.env == "production" or is_https, path_prefix=request.headers.get("x-forwarded-prefix", "")
    )


def set_cookies(response: Response, session_cookie: str, cookies: BrowserCookies, session: LoginSession) -> None:
    """They expire with `session`, which was created or extended just now."""
    max_age = int((session.expires_at - session.last_used_at).total_seconds())
    for name, value, is_secret in (
        (cookies.session, session_cookie, True),
        (cookies.csrf, csrf_token(session_cookie), False),
    ):
        response.set_cookie(
            name,
            value,
            max_age=max_age,
            path=cookies.path,
            httponly=is_secret,
            samesite="lax",
            secure=cookies.secure,
        )


def delete_cookies(response: Response, cookies: BrowserCookies) -> None:
    response.delete_cookie(cookies.session, path=cookies.path, httponly=True, samesite="lax", secure=cookies.secure)
    response.delete_cookie(cookies.csrf, path=cookies.path, samesite="lax", secure=cookies.secure)
