"""Changes of passwords, by users who are logged in and by users with a reset token."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.crypto import create_secret, digest
from stockbuddy.auth.email.model import EmailKind
from stockbuddy.auth.email.queue import queue_email
from stockbuddy.auth.errors import InvalidResetToken, WrongPassword
from stockbuddy.auth.logins.commands import reset_all_failures
from stockbuddy.auth.logins.throttle import Attempt
from stockbuddy.auth.passwords import queries
from stockbuddy.auth.passwords.model import PasswordReset
from stockbuddy.auth.sessions.commands import CreatedSession, create_session, revoke_sessions
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.users.model import User
from stockbuddy.auth.users.queries import lock_user
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime.event_context import set_actor
from stockbuddy.contracts.auth import PasswordResetRequested, UserPasswordChanged

MIN_RESET_INTERVAL = timedelta(seconds=60)
"""Further requests within it send no e-mail, so that a mailbox cannot be flooded."""


async def change_password(
    session: AsyncSession, verified: User, new_hash: str, settings: AuthSettings, *, user_agent: str | None
) -> CreatedSession:
    """`verified`: the user whose old password was verified. Revokes all sessions and creates a new one.
    Raises WrongPassword."""
    user = await lock_user(session, verified.id)
    if user is None or user.password_hash != verified.password_hash:
        raise WrongPassword()  # changed by a concurrent request while the hashes were computed
    await _replace_password(session, user, new_hash, settings, method="change")
    return await create_session(session, user, settings, user_agent=user_agent, method="password_change")


async def request_reset(session: AsyncSession, email: str) -> None:
    """Queue the e-mail. Whether the address belongs to a user is looked up when it is composed."""
    await queue_email(session, EmailKind.PASSWORD_RESET, email, datetime.now(UTC))
    outbox.add(session, PasswordResetRequested(email=email))


async def create_reset_token(session: AsyncSession, user: User, settings: AuthSettings) -> str | None:
    """A new token; None if the user is inactive or has received one within MIN_RESET_INTERVAL."""
    now = datetime.now(UTC)
    if not user.is_active or await queries.has_token_since(session, user.id, now - MIN_RESET_INTERVAL):
        return None
    token = create_secret()
    expires_at = now + timedelta(seconds=settings.password_reset_seconds)
    session.add(PasswordReset(digest=digest(token), user_id=user.id, created_at=now, expires_at=expires_at))
    return token


async def reset_password(
    session: AsyncSession, token: str, new_hash: str, settings: AuthSettings, *, address: str
) -> None:
    """Raises InvalidResetToken. The user is locked before the token is validated again, so that one of several
    concurrent resets succeeds."""
    now = datetime.now(UTC)
    user_id = await queries.find_user_id(session, digest(token), now)
    user = await lock_user(session, user_id) if user_id is not None else None
    if user is None or not user.is_active or not await queries.find_user_id(session, digest(token), now):
        raise InvalidResetToken()
    set_actor(user.id, user.username)
    await _replace_password(session, user, new_hash, settings, method="reset")
    for login in (user.username, user.email):
        await reset_all_failures(session, Attempt(login, address, is_known_address=False), user.id)


async def _replace_password(
    session: AsyncSession, user: User, new_hash: str, settings: AuthSettings, *, method: str
) -> None:
    user.password_hash = new_hash
    now = datetime.now(UTC)
    await queries.invalidate_tokens(session, user.id, now)
    await revoke_sessions(session, user.id, settings, reason="password_changed")
    outbox.add(session, UserPasswordChanged(user_id=user.id, username=user.username, method=method))
    await queue_email(session, EmailKind.PASSWORD_CHANGED, user.email, now)
