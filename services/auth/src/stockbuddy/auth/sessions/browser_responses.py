"""The response to a browser's login: its cookies, and what scripts need to know about them."""

from fastapi import Request, Response

from stockbuddy.auth.sessions.cookies import cookies_for, csrf_token, set_cookies
from stockbuddy.auth.sessions.model import LoginSession
from stockbuddy.auth.sessions.schemas import BrowserSessionResponse
from stockbuddy.auth.sessions.tokens import forbid_caching
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.users.model import User
from stockbuddy.auth.users.schemas import UserResponse


def to_browser_session(
    request: Request, response: Response, settings: AuthSettings, user: User, created: tuple[LoginSession, str]
) -> BrowserSessionResponse:
    """Set the cookies. `created`: the session and the value of its cookie."""
    session, cookie = created
    cookies = cookies_for(request, settings)
    set_cookies(response, cookie, cookies, session)
    forbid_caching(response)
    return BrowserSessionResponse(
        user=UserResponse.model_validate(user),
        csrf_token=csrf_token(cookie),
        csrf_cookie=cookies.csrf,
        expires_at=session.expires_at,
    )
