"""HTTP of registration and logins, for clients with tokens and for browsers."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from stockbuddy.auth.dependencies import Services
from stockbuddy.auth.errors import (
    AdminsOnly,
    EmailTaken,
    HashingOverloaded,
    InvalidCredentials,
    RegistrationClosed,
    SecondFactorRequired,
    SecondFactorSetupRequired,
    TooManyAttempts,
    TooManyPasswords,
    UsernameTaken,
)
from stockbuddy.auth.fields import UserAgent
from stockbuddy.auth.logins.authenticator import Authenticator
from stockbuddy.auth.logins.schemas import LOGIN_BODY, LoginBody, LoginCredentials
from stockbuddy.auth.password_policy import hash_new_password
from stockbuddy.auth.sessions import commands as sessions
from stockbuddy.auth.sessions.browser_responses import to_browser_session
from stockbuddy.auth.sessions.schemas import BrowserSessionResponse, TokenPairResponse
from stockbuddy.auth.sessions.tokens import forbid_caching, to_token_pair
from stockbuddy.auth.system_settings.queries import get_registration_role, is_registration_open
from stockbuddy.auth.users import commands as users
from stockbuddy.auth.users.model import User
from stockbuddy.auth.users.schemas import RegisterUser, UserResponse, password_words, user_path
from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.http.authentication import PUBLIC
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.sessions import Session
from stockbuddy.chassis.http.strict_query import StrictQueryRoute

LOGIN_PROBLEMS = (
    InvalidCredentials,
    SecondFactorRequired,
    SecondFactorSetupRequired,
    TooManyAttempts,
    HashingOverloaded,
    TooManyPasswords,
)

router = APIRouter(prefix="/api/v1/auth", tags=["auth"], route_class=StrictQueryRoute)
registration_router = APIRouter(prefix="/api/v1/auth", tags=["auth"], route_class=ConditionalRoute)


async def hash_password(body: RegisterUser, services: Services) -> tuple[RegisterUser, str]:
    """The body and its password's hash. A dependency, so that hashing, which takes long, precedes the transaction."""
    async with services.database.reading() as session:
        if not await is_registration_open(session):
            raise RegistrationClosed()
    return body, await hash_new_password(services.hasher, body.password, user_words=password_words(body))


@registration_router.post("/register", status_code=201, dependencies=[PUBLIC])
@raises(UsernameTaken, EmailTaken, RegistrationClosed, HashingOverloaded, TooManyPasswords)
async def register_user(
    hashed: Annotated[tuple[RegisterUser, str], Depends(hash_password)],
    session: Session,
    services: Services,
    response: Response,
) -> UserResponse:
    """Register a user.

    The new user has the role that the settings name in `registration_role`, and can log in at once. If the settings
    close registration, only invitations create users (403 `registration_closed`).
    """
    body, password_hash = hashed
    user = await users.register_user(
        session,
        username=body.username,
        email=body.email,
        password_hash=password_hash,
        full_name=body.full_name,
        confirm_email=services.settings.sends_emails,
        role=await get_registration_role(session),
    )
    response.headers["Location"] = user_path(user.id)
    return UserResponse.model_validate(user)


@router.post("/login", dependencies=[PUBLIC], openapi_extra=LOGIN_BODY)
@router.post("/login-json", dependencies=[PUBLIC], openapi_extra=LOGIN_BODY, name="login_user_json")
@raises(*LOGIN_PROBLEMS)
async def login_user(
    body: LoginBody, response: Response, authenticator: Authenticator, services: Services, user_agent: UserAgent = None
) -> TokenPairResponse:
    """Log in with a password.

    Returns an access token for `Authorization: Bearer` and a refresh token. JSON or a form; `username` may be the
    e-mail address. A user with a second factor, or whose role requires one, gets 401 `second_factor_required` or
    `second_factor_setup_required` with a `challenge`, and completes the login with `POST /auth/login/second-factor`.
    An unknown user and a wrong password get the same response in about the same time; repeated failures are slowed
    down (429).
    """
    async with authenticator.authenticate(body.username, body.password) as (session, user):
        created = await sessions.create_session(session, user, services.settings, user_agent=user_agent)
    forbid_caching(response)
    return to_token_pair(created, services)


@router.post("/admin/login", dependencies=[PUBLIC], openapi_extra=LOGIN_BODY)
@raises(*LOGIN_PROBLEMS, AdminsOnly)
async def login_admin(
    body: LoginBody, response: Response, authenticator: Authenticator, services: Services, user_agent: UserAgent = None
) -> TokenPairResponse:
    """Log in as an admin.

    Like `POST /auth/login`; users who are not admins get 403 `admins_only`.
    """
    async with authenticator.authenticate(body.username, body.password, admit=_require_admin) as (session, user):
        created = await sessions.create_session(session, user, services.settings, user_agent=user_agent)
    forbid_caching(response)
    return to_token_pair(created, services)


@router.post("/session", status_code=201, dependencies=[PUBLIC])
@raises(*LOGIN_PROBLEMS)
async def create_browser_session(
    body: LoginCredentials,
    request: Request,
    response: Response,
    authenticator: Authenticator,
    services: Services,
    user_agent: UserAgent = None,
) -> BrowserSessionResponse:
    """Log in from a browser.

    Sets an HttpOnly cookie that replaces the access token. Repeat `csrf_token` in the header `X-CSRF-Token` of
    requests with other methods than GET. JSON only: a form on another site cannot send it. With a second factor
    as for `POST /auth/login`; the cookie is set by the second step.
    """
    async with authenticator.authenticate(body.username, body.password, with_cookie=True) as (session, user):
        created, cookie = await sessions.create_browser_session(session, user, services.settings, user_agent=user_agent)
    response.headers["Location"] = request.url.path
    return to_browser_session(request, response, services.settings, user, (created, cookie))


def _require_admin(user: User) -> None:
    if user.role != Role.ADMIN:
        raise AdminsOnly()
