"""HTTP of the doors: registration, and logins for clients with tokens and for browsers."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute

from stockbuddy.auth.errors import AdminsOnly, RegistrationClosed
from stockbuddy.auth.hashing import Hasher
from stockbuddy.auth.logins.schemas import LOGIN_BODY, LogIn, LoginBody
from stockbuddy.auth.logins.authenticator import Door
from stockbuddy.auth.sessions.commands import open_browser_session, open_session
from stockbuddy.auth.sessions.cookies import csrf_token, set_cookies
from stockbuddy.auth.sessions.schemas import BrowserSession, TokenPair
from stockbuddy.auth.sessions.tokens import forbid_caching, token_pair
from stockbuddy.auth.settings import Settings
from stockbuddy.auth.signing.keys import Keys
from stockbuddy.auth.password_policy import hash_strong_password
from stockbuddy.auth.system_settings.queries import is_registration_open
from stockbuddy.auth.users.commands import register_user
from stockbuddy.auth.users.schemas import RegisterUser, UserView
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.http.sessions import Session
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.authentication import PUBLIC
from stockbuddy.chassis.http.tokens import Role

router = APIRouter(prefix="/api/v1/auth", tags=["auth"], route_class=APIRoute)
repeatable_router = APIRouter(prefix="/api/v1/auth", tags=["auth"], route_class=ConditionalRoute)


async def hash_for_registration(body: RegisterUser, request: Request, hasher: Hasher) -> tuple[RegisterUser, str]:
    """The wish and the password's hash, which takes long: no transaction waits for it."""
    database: Database = request.app.state.database
    async with database.reading() as session:
        if not await is_registration_open(session):
            raise RegistrationClosed()
    personal = [body.username, body.email, body.full_name]
    return body, await hash_strong_password(hasher, body.password, personal=personal)


@repeatable_router.post("/register", status_code=201, dependencies=[PUBLIC])
async def register(
    hashed: Annotated[tuple[RegisterUser, str], Depends(hash_for_registration)], session: Session
) -> UserView:
    """A new salesperson, who can log in at once."""
    wish, password_hash = hashed
    user = await register_user(
        session,
        username=wish.username,
        email=wish.email,
        password_hash=password_hash,
        full_name=wish.full_name,
    )
    return UserView.model_validate(user)


@router.post("/login", dependencies=[PUBLIC], openapi_extra=LOGIN_BODY)
@router.post("/login-json", dependencies=[PUBLIC], openapi_extra=LOGIN_BODY, name="login_json")
async def login(
    body: LoginBody, request: Request, response: Response, door: Door, keys: Keys, settings: Settings
) -> TokenPair:
    """A session for a username or e-mail address and its password."""
    user_agent = request.headers.get("user-agent")
    async with door.admitting(body.username, body.password) as (session, user):
        opened = await open_session(session, user, settings, user_agent=user_agent)
    forbid_caching(response)
    return token_pair(opened, keys, settings)


@router.post("/admin/login", dependencies=[PUBLIC], openapi_extra=LOGIN_BODY)
async def login_admin(
    body: LoginBody, request: Request, response: Response, door: Door, keys: Keys, settings: Settings
) -> TokenPair:
    """The same for admins alone."""
    user_agent = request.headers.get("user-agent")
    async with door.admitting(body.username, body.password) as (session, user):
        if user.role is not Role.ADMIN:
            raise AdminsOnly()
        opened = await open_session(session, user, settings, user_agent=user_agent)
    forbid_caching(response)
    return token_pair(opened, keys, settings)


@router.post("/session", status_code=201, dependencies=[PUBLIC])
async def open_cookie_session(
    body: LogIn, request: Request, response: Response, door: Door, settings: Settings
) -> BrowserSession:
    """A session for a browser: its cookie stands in for a token. JSON alone, which no foreign page's form can send."""
    user_agent = request.headers.get("user-agent")
    async with door.admitting(body.username, body.password) as (session, user):
        opened, cookie = await open_browser_session(session, user, settings, user_agent=user_agent)
    set_cookies(response, cookie, settings)
    forbid_caching(response)
    return BrowserSession(
        user=UserView.model_validate(user), csrf_token=csrf_token(cookie), expires_at=opened.expires_at
    )
