"""Changes to one's own profile, and the confirmation of e-mail addresses.

A new address replaces the old one only when it is confirmed with a token sent to it: its owner can reset the password.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.crypto import create_secret, digest
from stockbuddy.auth.email.model import EmailKind
from stockbuddy.auth.email.queue import queue_email
from stockbuddy.auth.errors import EmailTaken, InvalidConfirmationToken
from stockbuddy.auth.passwords.queries import invalidate_tokens
from stockbuddy.auth.profile import queries
from stockbuddy.auth.profile.model import EmailConfirmation
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.usernames import require_acceptable, username_skeleton
from stockbuddy.auth.users.commands import flush_user, require_username_available
from stockbuddy.auth.users.model import User
from stockbuddy.auth.users.queries import is_email_taken, lock_user
from stockbuddy.chassis.http.errors import Unprocessable
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.event_context import set_actor
from stockbuddy.chassis.text_keys import case_key
from stockbuddy.contracts.auth import UserUpdated

MIN_CONFIRMATION_INTERVAL = timedelta(seconds=60)
MAX_CONFIRMATIONS_PER_DAY = 10
"""Further requests send no e-mail, so that strangers' mailboxes cannot be flooded."""


async def update_profile(session: AsyncSession, user: User, fields: Mapping[str, Any]) -> None:
    """`user` is locked, and the password verified if `fields` change the address. Raises UsernameTaken or EmailTaken.
    A changed address is queued for confirmation and reported to the old one."""
    changes = {name: value for name, value in fields.items() if name != "email" and getattr(user, name) != value}
    if "username" in changes:
        changes["username"] = await _require_usable_name(session, user, changes["username"])
        user.username_skeleton = username_skeleton(changes["username"])
    if (email := fields.get("email")) is not None and starts_confirmation(user, email):
        now = clock.now()
        await queue_email(session, EmailKind.EMAIL_CONFIRMATION, email, now, user_id=user.id)
        if email != user.email:
            await _require_email_available(session, user, email)
            await queue_email(session, EmailKind.EMAIL_CHANGE_REQUESTED, user.email, now, user_id=user.id)
        pending = email if email != user.email else None
        if pending != user.pending_email:
            changes["pending_email"] = pending
    await _apply(session, user, changes)


def starts_confirmation(user: User, email: str) -> bool:
    """True if `email` is another address than the user's, or not confirmed yet."""
    return email != user.email or not user.email_confirmed


async def create_confirmation_token(
    session: AsyncSession, user: User, email: str, settings: AuthSettings, *, is_retry: bool
) -> str | None:
    """A new token; None if nothing is to be confirmed any more, or if too many e-mails were sent. `is_retry`: the
    e-mail with an earlier token was not sent."""
    now = clock.now()
    is_wanted = email == user.pending_email or (email == user.email and not user.email_confirmed)
    if not user.is_active or not is_wanted:
        return None
    if not is_retry and await _is_limit_reached(session, user.id, email, now):
        return None
    token = create_secret()
    expires_at = now + timedelta(seconds=settings.email_confirmation_seconds)
    session.add(
        EmailConfirmation(digest=digest(token), user_id=user.id, email=email, created_at=now, expires_at=expires_at)
    )
    return token


async def _is_limit_reached(session: AsyncSession, user_id: int, email: str, now: datetime) -> bool:
    if await queries.count_confirmations(session, user_id, now - MIN_CONFIRMATION_INTERVAL, email):
        return True
    return await queries.count_confirmations(session, user_id, now - timedelta(days=1)) >= MAX_CONFIRMATIONS_PER_DAY


async def confirm_email(session: AsyncSession, token: str) -> None:
    """Raises InvalidConfirmationToken, or EmailTaken if another user has registered the address meanwhile. The user is
    locked before the token is validated again, so that one of several concurrent confirmations succeeds."""
    now = clock.now()
    found = await queries.find_confirmation(session, digest(token), now)
    user = await lock_user(session, found.user_id) if found else None
    confirmation = await queries.find_confirmation(session, digest(token), now)
    if user is None or confirmation is None or confirmation.email not in (user.email, user.pending_email):
        raise InvalidConfirmationToken()
    set_actor(user.id, user.username)
    confirmation.used_at = now
    changes: dict[str, Any] = {} if user.email_confirmed else {"email_confirmed": True}
    if confirmation.email != user.email:
        await _require_email_available(session, user, confirmation.email)
        await queue_email(session, EmailKind.EMAIL_CHANGED, user.email, now, user_id=user.id)
        await invalidate_tokens(session, user.id, now)  # they were sent to the old address
        changes |= {"email": confirmation.email, "pending_email": None}
    await _apply(session, user, changes)


async def _require_usable_name(session: AsyncSession, user: User, username: str) -> str:
    """Checked only for another name: a user keeps one that today's rules would reject. Raises Unprocessable or
    UsernameTaken."""
    try:
        username = require_acceptable(username)
    except ValueError as error:
        raise Unprocessable.field("username", error) from error
    await require_username_available(session, username, except_user=user.id)
    return username


async def _require_email_available(session: AsyncSession, user: User, email: str) -> None:
    if case_key(email) != case_key(user.email) and await is_email_taken(session, email):
        raise EmailTaken()


async def _apply(session: AsyncSession, user: User, changes: Mapping[str, Any]) -> None:
    if not changes:
        return
    published = {name: {"from": getattr(user, name), "to": value} for name, value in changes.items()}
    for name, value in changes.items():
        setattr(user, name, value)
    user.touch()
    await flush_user(session)
    outbox.add(session, user.to_event(UserUpdated, changes=published))
