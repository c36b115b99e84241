"""Registration of users."""

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.email.model import EmailKind
from stockbuddy.auth.email.queue import queue_email
from stockbuddy.auth.errors import EmailTaken, UsernameTaken
from stockbuddy.auth.usernames import derive_username, username_skeleton, with_random_suffix
from stockbuddy.auth.users import queries
from stockbuddy.auth.users.model import User
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.event_context import current_event_context, set_actor
from stockbuddy.contracts.auth import UserRegistered


async def register_user(
    session: AsyncSession,
    *,
    username: str,
    email: str,
    password_hash: str,
    full_name: str | None,
    confirm_email: bool,
    email_confirmed: bool = False,
    role: str,
    warehouse_ids: list[int] | None = None,
) -> User:
    """Raises UsernameTaken or EmailTaken. For self-registration the new user is recorded as the actor. `confirm_email`:
    send a token to the address that confirms it. `email_confirmed`: an identity provider has verified it."""
    await require_username_available(session, username)
    if await queries.is_email_taken(session, email):
        raise EmailTaken()
    now = clock.now()
    user = User(
        username=username,
        username_skeleton=username_skeleton(username),
        email=email,
        email_confirmed=email_confirmed,
        full_name=full_name,
        password_hash=password_hash,
        role=role,
        warehouse_ids=warehouse_ids,
        is_active=True,
        has_second_factor=False,
        version=1,
        created_at=now,
        updated_at=now,
    )
    session.add(user)
    await flush_user(session)
    if confirm_email:
        await queue_email(session, EmailKind.EMAIL_CONFIRMATION, email, now, user_id=user.id)
    if current_event_context().actor_id is None:
        set_actor(user.id, user.username)
    outbox.add(session, user.to_event(UserRegistered))
    return user


async def require_username_available(session: AsyncSession, username: str, *, except_user: int | None = None) -> None:
    """Raises UsernameTaken, also for a name that looks like that of another user."""
    if await queries.is_username_taken(session, username, username_skeleton(username), except_user=except_user):
        raise UsernameTaken()


async def available_username(session: AsyncSession, email: str) -> str:
    """Derived from the address, with a random suffix if that name is taken or not acceptable."""
    username = stem = derive_username(email)
    while await queries.is_username_taken(session, username, username_skeleton(username)):
        username = with_random_suffix(stem)
    return username


async def fill_skeletons(session: AsyncSession) -> None:
    """Give users of an earlier release, which may still run during an upgrade, their skeletons, unless taken."""
    for user in await queries.list_users_without_skeleton(session):
        skeleton = username_skeleton(user.username)
        if not await queries.is_username_taken(session, user.username, skeleton, except_user=user.id):
            user.username_skeleton = skeleton
            await session.flush()


async def flush_user(session: AsyncSession) -> None:
    """The unique indexes decide between concurrent changes to the same name or address. Raises UsernameTaken or
    EmailTaken."""
    try:
        await session.flush()
    except IntegrityError as error:
        if "user_account_username_" in str(error.orig):
            raise UsernameTaken() from error
        if "user_account_email_key" in str(error.orig):
            raise EmailTaken() from error
        raise
