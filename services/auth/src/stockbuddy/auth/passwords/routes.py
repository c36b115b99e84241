"""HTTP of passwords."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from stockbuddy.auth.errors import InvalidResetToken
from stockbuddy.auth.hashing import Hasher
from stockbuddy.auth.logins.authenticator import Door, current_address
from stockbuddy.auth.passwords import commands, queries
from stockbuddy.auth.passwords.schemas import ChangePassword, ForgotPassword, ResetPassword, Told
from stockbuddy.auth.interactive_users import Person
from stockbuddy.auth.crypto import digest
from stockbuddy.auth.sessions.schemas import TokenPair
from stockbuddy.auth.sessions.tokens import forbid_caching, token_pair
from stockbuddy.auth.settings import Settings
from stockbuddy.auth.signing.keys import Keys
from stockbuddy.auth.password_policy import hash_strong_password
from stockbuddy.auth.users.model import User
from stockbuddy.auth.users.queries import user_by_id
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.http.errors import Unauthenticated, Unprocessable
from stockbuddy.chassis.http.authentication import PUBLIC

router = APIRouter(prefix="/api/v1/auth/password", tags=["auth"], route_class=APIRoute)

FORGOT_TOLD = "If the address belongs to a user, a letter with a reset token is on its way to it."


@router.post("/change")
async def change_password(
    body: ChangePassword,
    caller: Person,
    request: Request,
    response: Response,
    door: Door,
    hasher: Hasher,
    keys: Keys,
    settings: Settings,
) -> TokenPair:
    """A new password for who knows the old one. Every session ends; the new pair belongs to a new one."""
    database: Database = request.app.state.database
    body.confirmed()
    async with database.reading() as session:
        user = await user_by_id(session, caller.user_id)
    if user is None:
        raise Unauthenticated("This user does not exist.")
    await door.confirm(user, body.old_password)
    if body.new_password == body.old_password:
        raise Unprocessable.field("new_password", "is the old one")
    new_hash = await hash_strong_password(hasher, body.new_password, personal=_personal(user), field="new_password")
    user_agent = request.headers.get("user-agent")
    async with database.transaction() as session:
        opened = await commands.change_password(session, user, new_hash, settings, user_agent=user_agent)
    forbid_caching(response)
    return token_pair(opened, keys, settings)


@router.post("/forgot", status_code=202, dependencies=[PUBLIC])
async def forgot_password(body: ForgotPassword, request: Request) -> Told:
    """A letter with a reset token. The answer is the same whether the address is known or not."""
    database: Database = request.app.state.database
    async with database.transaction() as session:
        await commands.request_reset(session, body.email)
    return Told(detail=FORGOT_TOLD)


@router.post("/reset", status_code=204, dependencies=[PUBLIC])
async def reset_password(body: ResetPassword, request: Request, hasher: Hasher, settings: Settings) -> None:
    """A new password for who holds a reset token. Every session ends."""
    database: Database = request.app.state.database
    body.confirmed()
    user = await _holder(database, body.token)
    new_hash = await hash_strong_password(hasher, body.new_password, personal=_personal(user), field="new_password")
    async with database.transaction() as session:
        await commands.reset_password(session, body.token, new_hash, settings, address=current_address())


async def _holder(database: Database, token: str) -> User:
    """Looked up before anything slow is done, so that a guess costs no hash. Raises InvalidResetToken."""
    async with database.reading() as session:
        user_id = await queries.user_id_of_reset(session, digest(token), datetime.now(UTC))
        user = await user_by_id(session, user_id) if user_id is not None else None
    if user is None:
        raise InvalidResetToken()
    return user


def _personal(user: User) -> list[str | None]:
    return [user.username, user.email, user.full_name]
