"""HTTP of the doors: registration, logins, and one's own profile."""

from fastapi import APIRouter, Request, Response

from stockbuddy.auth.errors import AdminsOnly
from stockbuddy.auth.hashing import Hasher
from stockbuddy.auth.logins.bodies import LOGIN_BODY, LoginBody
from stockbuddy.auth.logins.doorkeeper import Door
from stockbuddy.auth.sessions.commands import open_session
from stockbuddy.auth.sessions.schemas import TokenPair
from stockbuddy.auth.sessions.tokens import forbid_caching, token_pair
from stockbuddy.auth.settings import Settings
from stockbuddy.auth.signing.keys import Keys
from stockbuddy.auth.users.commands import register_user
from stockbuddy.auth.users.schemas import RegisterUser, UserView
from stockbuddy.chassis.identity import PUBLIC, Role

router = APIRouter(prefix="/api/v1/auth", tags=["auth"])


@router.post("/register", status_code=201, dependencies=[PUBLIC])
async def register(body: RegisterUser, request: Request, hasher: Hasher) -> UserView:
    """A new salesperson, who can log in at once."""
    password_hash = await hasher.hash(body.password)
    async with request.app.state.database.transaction() as session:
        user = await register_user(
            session,
            username=body.username,
            email=body.email,
            password_hash=password_hash,
            full_name=body.full_name,
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
