"""The cookies of a browser session: an HttpOnly one with the session's secret, and one that scripts read to repeat it
in a header as protection against CSRF (OWASP: signed double submit cookie, derived from the first)."""

import hmac

from fastapi import Response

from stockbuddy.auth.settings import AuthSettings

SESSION_COOKIE = "session"
CSRF_COOKIE = "csrf_token"
SECONDS_PER_DAY = 86_400


def csrf_token(session_cookie: str) -> str:
    """The value that requests with unsafe methods repeat in `X-CSRF-Token`."""
    return hmac.digest(session_cookie.encode(), b"csrf", "sha256").hex()


def set_cookies(response: Response, session_cookie: str, settings: AuthSettings) -> None:
    max_age = settings.session_days * SECONDS_PER_DAY
    secure = settings.env == "production"
    response.set_cookie(SESSION_COOKIE, session_cookie, max_age=max_age, httponly=True, samesite="lax", secure=secure)
    response.set_cookie(
        CSRF_COOKIE, csrf_token(session_cookie), max_age=max_age, httponly=False, samesite="lax", secure=secure
    )


def delete_cookies(response: Response, settings: AuthSettings) -> None:
    secure = settings.env == "production"
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax", secure=secure)
    response.delete_cookie(CSRF_COOKIE, samesite="lax", secure=secure)
