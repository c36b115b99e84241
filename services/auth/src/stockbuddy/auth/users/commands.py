"""Registration of users, and changes to one's own profile."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.email.model import EmailKind
from stockbuddy.auth.email.queue import queue_email
from stockbuddy.auth.errors import EmailTaken, UsernameTaken
from stockbuddy.auth.users import queries
from stockbuddy.auth.users.model import User
from stockbuddy.chassis.http.tokens import Role
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime.event_context import current_event_context, set_actor
from stockbuddy.contracts.auth import UserRegistered, UserUpdated


async def register_user(
    session: AsyncSession,
    *,
    username: str,
    email: str,
    password_hash: str,
    full_name: str | None,
    role: Role = Role.SALESPERSON,
    warehouse_ids: list[int] | None = None,
) -> User:
    """Raises UsernameTaken or EmailTaken. For self-registration the new user is recorded as the actor."""
    await _require_available(session, username=username, email=email)
    now = datetime.now(UTC)
    user = User(
        username=username,
        email=email,
        full_name=full_name,
        password_hash=password_hash,
        role=role,
        warehouse_ids=warehouse_ids,
        is_active=True,
        version=1,
        created_at=now,
        updated_at=now,
    )
    session.add(user)
    await _flush(session)
    if current_event_context().actor_id is None:
        set_actor(user.id, user.username)
    outbox.add(session, user.to_event(UserRegistered))
    return user


async def update_profile(session: AsyncSession, user: User, fields: Mapping[str, Any]) -> None:
    """`user` is locked. A changed e-mail address is reported to the old one, because the owner of the new one can reset
    the password. Raises UsernameTaken or EmailTaken."""
    changed = {name: value for name, value in fields.items() if getattr(user, name) != value}
    if not changed:
        return
    before = {name: getattr(user, name) for name in changed}
    for name, value in changed.items():
        setattr(user, name, value)
    user.touch()
    await _flush(session)
    if "email" in changed:
        await queue_email(session, EmailKind.EMAIL_CHANGED, before["email"], user.updated_at)
    changes = {name: {"from": before[name], "to": value} for name, value in changed.items()}
    outbox.add(session, user.to_event(UserUpdated, changes=changes))


async def _require_available(session: AsyncSession, *, username: str, email: str) -> None:
    if await queries.is_username_taken(session, username):
        raise UsernameTaken()
    if await queries.is_email_taken(session, email):
        raise EmailTaken()


async def _flush(session: AsyncSession) -> None:
    """The unique indexes decide between concurrent registrations with the same name or address."""
    try:
        await session.flush()
    except IntegrityError as error:
        if "user_account_username_key" in str(error.orig):
            raise UsernameTaken() from error
        if "user_account_email_key" in str(error.orig):
            raise EmailTaken() from error
        raise
