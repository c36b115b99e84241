"""The browser that visits a page: its session, a login in progress, and the protection of its forms against CSRF.

A form is bound to a cookie that another site can make the browser send, but cannot read.
"""

import hmac
from dataclasses import dataclass

from fastapi import Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.crypto import create_secret, digest
from stockbuddy.auth.logins.challenges import CHALLENGE_LIFETIME
from stockbuddy.auth.logins.queries import find_challenge
from stockbuddy.auth.sessions.commands import find_browser_session
from stockbuddy.auth.sessions.cookies import cookies_for
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.users.model import User
from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.event_context import set_actor
from stockbuddy.contracts.browser_cookies import SESSION_COOKIE, BrowserCookies

FORM_COOKIE = "oauth_form"
CHALLENGE_COOKIE = "login_challenge"


@dataclass(frozen=True, slots=True)
class Visitor:
    """`user` None: not logged in. `challenge`: of a login that awaits its second factor. `secret`: the cookie that
    protects the page's forms; `is_new`: the response must set it."""

    cookies: BrowserCookies
    user: User | None
    challenge: str | None
    secret: str
    is_new: bool = False

    @property
    def csrf_token(self) -> str:
        return hmac.digest(self.secret.encode(), b"oauth page", "sha256").hex()

    def has_sent(self, csrf_token: str) -> bool:
        """Whether a form comes from a page of this visitor."""
        return not self.is_new and hmac.compare_digest(csrf_token.encode(), self.csrf_token.encode())

    def remember(self, response: Response) -> None:
        """Set the cookie of the forms."""
        if self.is_new:
            _set(response, self.cookies, FORM_COOKIE, self.secret)


async def load_visitor(session: AsyncSession, request: Request, settings: AuthSettings) -> Visitor:
    """Sets the actor of events."""
    cookies, now = cookies_for(request, settings), clock.now()
    challenge = request.cookies.get(_name(cookies, CHALLENGE_COOKIE))
    if challenge is not None and await find_challenge(session, digest(challenge), now) is None:
        challenge = None
    cookie = request.cookies.get(cookies.session, "")
    found = await find_browser_session(session, cookie, settings, now) if cookie else None
    if found is not None:
        user = found[1]
        set_actor(user.id, user.username)
        return Visitor(cookies, user, challenge, cookie)
    secret = request.cookies.get(_name(cookies, FORM_COOKIE))
    return Visitor(cookies, None, challenge, secret or create_secret(), is_new=not secret)


def set_challenge(response: Response, cookies: BrowserCookies, challenge: str | None) -> None:
    """Remember a login that awaits its second factor; None: forget it."""
    if challenge is None:
        name = _name(cookies, CHALLENGE_COOKIE)
        response.delete_cookie(name, path=cookies.path, httponly=True, samesite="lax", secure=cookies.secure)
    else:
        _set(response, cookies, CHALLENGE_COOKIE, challenge, int(CHALLENGE_LIFETIME.total_seconds()))


def _set(response: Response, cookies: BrowserCookies, name: str, value: str, max_age: int | None = None) -> None:
    response.set_cookie(
        _name(cookies, name),
        value,
        max_age=max_age,
        path=cookies.path,
        httponly=True,
        samesite="lax",
        secure=cookies.secure,
    )


def _name(cookies: BrowserCookies, name: str) -> str:
    """With the prefix that the session's cookie has."""
    return cookies.session.removesuffix(SESSION_COOKIE) + name
