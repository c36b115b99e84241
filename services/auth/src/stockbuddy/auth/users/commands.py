"""Registers users and changes what they may change about themselves."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.errors import EmailTaken, UsernameTaken
from stockbuddy.auth.email.model import LetterKind
from stockbuddy.auth.email.queue import queue_letter
from stockbuddy.auth.users import queries
from stockbuddy.auth.users.model import User
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.http.tokens import Role
from stockbuddy.chassis.messaging.event_context import current_event_context, set_actor
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
    """Raises UsernameTaken or EmailTaken. Who registers without being known yet is the actor themselves."""
    await _require_free(session, username=username, email=email)
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
    outbox.add(session, user.said_as(UserRegistered))
    return user


async def change_profile(session: AsyncSession, user: User, changes: Mapping[str, Any]) -> User:
    """`user` is locked; `changes` are new values by field. An old e-mail address is told that it was replaced,
    because whoever can read the new one can get a new password. Raises UsernameTaken or EmailTaken."""
    changed = {field: value for field, value in changes.items() if getattr(user, field) != value}
    if not changed:
        return user
    before = {field: getattr(user, field) for field in changed}
    for field, value in changed.items():
        setattr(user, field, value)
    user.touch()
    await _flush(session)
    if "email" in changed:
        await queue_letter(session, LetterKind.EMAIL_CHANGED, before["email"], user.updated_at)
    told = {field: {"from": before[field], "to": value} for field, value in changed.items()}
    outbox.add(session, user.said_as(UserUpdated, changes=told))
    return user


async def _require_free(session: AsyncSession, *, username: str, email: str) -> None:
    if await queries.is_username_taken(session, username):
        raise UsernameTaken()
    if await queries.is_email_taken(session, email):
        raise EmailTaken()


async def _flush(session: AsyncSession) -> None:
    """The unique indexes decide between two who want the same name at once."""
    try:
        await session.flush()
    except IntegrityError as error:
        if "user_account_username_key" in str(error.orig):
            raise UsernameTaken() from error
        if "user_account_email_key" in str(error.orig):
            raise EmailTaken() from error
        raise
