"""HTTP of passwords."""

from fastapi import APIRouter, Request, Response

from stockbuddy.auth.crypto import digest
from stockbuddy.auth.dependencies import AuthServices, Services
from stockbuddy.auth.errors import (
    HashingOverloaded,
    InvalidResetToken,
    TooManyAttempts,
    TooManyPasswords,
    UnknownCaller,
    WrongPassword,
)
from stockbuddy.auth.fields import UserAgent
from stockbuddy.auth.logins.authenticator import Authenticator, current_address
from stockbuddy.auth.password_policy import hash_new_password
from stockbuddy.auth.passwords import commands, queries
from stockbuddy.auth.passwords.schemas import (
    ChangePassword,
    MessageResponse,
    PasswordChangedResponse,
    RequestPasswordReset,
    ResetPassword,
)
from stockbuddy.auth.session_ids import parse_session_id
from stockbuddy.auth.sessions.cookies import cookies_for, csrf_token, set_cookies
from stockbuddy.auth.sessions.tokens import forbid_caching, to_token_pair
from stockbuddy.auth.step_up import STEP_UP
from stockbuddy.auth.users.model import User
from stockbuddy.auth.users.queries import find_user
from stockbuddy.chassis.http.authentication import PUBLIC, UserSession
from stockbuddy.chassis.http.errors import Unprocessable, raises
from stockbuddy.chassis.http.strict_query import StrictQueryRoute
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime import clock

router = APIRouter(prefix="/api/v1/auth/password", tags=["auth"], route_class=StrictQueryRoute)

RESET_REQUESTED = "If the address belongs to a user, an e-mail with a reset token will be sent to it."


@router.post("/change", dependencies=[STEP_UP])
@raises(UnknownCaller, WrongPassword, TooManyAttempts, HashingOverloaded, TooManyPasswords)
async def change_password(
    body: ChangePassword,
    caller: UserSession,
    request: Request,
    response: Response,
    authenticator: Authenticator,
    services: Services,
    user_agent: UserAgent = None,
) -> PasswordChangedResponse:
    """Change one's own password.

    Ends all sessions; with `revoke_api_keys`, revokes the API keys, and with `withdraw_consents`, ends what one has
    allowed apps. The returned tokens belong to a new session. A browser receives the new session's cookies. A user with
    a second factor must have used it a short while ago (403 `step_up_required`).
    """
    body.require_confirmed()
    async with services.database.reading() as session:
        user = await find_user(session, caller.user_id)
    if user is None:
        raise UnknownCaller()
    await authenticator.verify_password(user, body.old_password)
    if body.new_password == body.old_password:
        raise Unprocessable.field("new_password", "is the old password", "password_unchanged")
    replacement = await _hash(services, body, user)
    current = commands.CurrentSession(parse_session_id(caller.session_id), user_agent)
    async with services.database.transaction() as session:
        created = await commands.change_password(session, user, replacement, services.settings, current)
    forbid_caching(response)
    changed = PasswordChangedResponse(**dict(to_token_pair(created, services)))
    if created.cookie is not None:
        cookies = cookies_for(request, services.settings)
        set_cookies(response, created.cookie, cookies, created.session)
        changed.csrf_token, changed.csrf_cookie = csrf_token(created.cookie), cookies.csrf
    return changed


@router.post("/forgot", status_code=202, dependencies=[PUBLIC])
async def request_password_reset(body: RequestPasswordReset, services: Services) -> MessageResponse:
    """Request an e-mail to reset a password.

    The response is the same whether or not the address belongs to a user. The token in the e-mail works once.
    """
    async with services.database.transaction() as session:
        await commands.request_reset(session, body.email, services.secret_box)
    return MessageResponse(detail=RESET_REQUESTED)


@router.post("/reset", status_code=204, dependencies=[PUBLIC])
@raises(InvalidResetToken, HashingOverloaded, TooManyPasswords)
async def reset_password(body: ResetPassword, services: Services) -> None:
    """Set a new password with a token.

    Ends all sessions; with `revoke_api_keys`, revokes the API keys, and with `withdraw_consents`, ends what one has
    allowed apps. Log in afterwards.
    """
    body.require_confirmed()
    user = await _get_user_by_token(services.database, body.token)
    replacement = await _hash(services, body, user)
    async with services.database.transaction() as session:
        await commands.reset_password(session, body.token, replacement, services, address=current_address())


async def _get_user_by_token(database: Database, token: str) -> User:
    """Looked up before the password is hashed, so that guessing tokens is cheap for us. Raises InvalidResetToken."""
    async with database.reading() as session:
        user_id = await queries.find_user_id(session, digest(token), clock.now())
        user = await find_user(session, user_id) if user_id is not None else None
    if user is None:
        raise InvalidResetToken()
    return user


async def _hash(services: AuthServices, body: ChangePassword | ResetPassword, user: User) -> commands.NewPasswordHash:
    words = [user.username, user.email, user.full_name]
    new_hash = await hash_new_password(services.hasher, body.new_password, user_words=words, field="new_password")
    return commands.NewPasswordHash(new_hash, body.revoke_api_keys, body.withdraw_consents)
