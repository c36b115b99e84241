"""The cookies of a browser session: one that only the gateway reads, and one that the page's own code reads to prove
that a call comes from it (OWASP's signed double submit: the second is derived from the first)."""

import hmac

from fastapi import Response

from stockbuddy.auth.settings import AuthSettings

SESSION_COOKIE = "session"
CSRF_COOKIE = "csrf_token"
SECONDS_PER_DAY = 86_400


def csrf_token(session_cookie: str) -> str:
    """What must come in `X-CSRF-Token` with every unsafe call of that session."""
    return hmac.digest(session_cookie.encode(), b"csrf", "sha256").hex()


def set_cookies(response: Response, session_cookie: str, settings: AuthSettings) -> None:
    lifetime = settings.session_days * SECONDS_PER_DAY
    secure = settings.env == "production"
    response.set_cookie(SESSION_COOKIE, session_cookie, max_age=lifetime, httponly=True, samesite="lax", secure=secure)
    response.set_cookie(
        CSRF_COOKIE, csrf_token(session_cookie), max_age=lifetime, httponly=False, samesite="lax", secure=secure
    )


def delete_cookies(response: Response, settings: AuthSettings) -> None:
    secure = settings.env == "production"
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax", secure=secure)
    response.delete_cookie(CSRF_COOKIE, samesite="lax", secure=secure)
