"""Changes passwords, for those who know the old one and for those who can read their e-mail."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.errors import InvalidResetToken, WrongPassword
from stockbuddy.auth.logins.commands import forgive_everything
from stockbuddy.auth.logins.throttle import Attempt
from stockbuddy.auth.email.model import LetterKind
from stockbuddy.auth.email.queue import queue_letter
from stockbuddy.auth.passwords import queries
from stockbuddy.auth.passwords.model import PasswordReset
from stockbuddy.auth.crypto import digest, make_secret
from stockbuddy.auth.sessions.commands import OpenedSession, end_sessions, open_session
from stockbuddy.auth.sessions.queries import lock_live_sessions
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.users.model import User
from stockbuddy.auth.users.queries import lock_user
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.messaging.event_context import set_actor
from stockbuddy.contracts.auth import PasswordResetRequested, UserPasswordChanged

RESET_PAUSE = timedelta(seconds=60)
"""Who asks again sooner gets no second letter: a mailbox can't be flooded with them."""


async def change_password(
    session: AsyncSession, known: User, new_hash: str, settings: AuthSettings, *, user_agent: str | None
) -> OpenedSession:
    """`known` is the user whose old password was right. Every session ends, and a new one begins."""
    user = await lock_user(session, known.id)
    if user is None or user.password_hash != known.password_hash:
        raise WrongPassword()  # Somebody changed it while the hashes were computed.
    await _replace_password(session, user, new_hash, settings, method="change")
    return await open_session(session, user, settings, user_agent=user_agent, method="password_change")


async def request_reset(session: AsyncSession, email: str) -> None:
    """Whether anybody has this address is looked up later, by who sends the letter."""
    await queue_letter(session, LetterKind.PASSWORD_RESET, email, datetime.now(UTC))
    outbox.add(session, PasswordResetRequested(email=email))


async def issue_reset_token(session: AsyncSession, user: User, settings: AuthSettings) -> str | None:
    """A new token for the letter to `user`; None for who may not have one, or had one a moment ago."""
    now = datetime.now(UTC)
    if not user.is_active or await queries.is_reset_newer_than(session, user.id, now - RESET_PAUSE):
        return None
    token = make_secret()
    expires_at = now + timedelta(seconds=settings.password_reset_seconds)
    session.add(PasswordReset(digest=digest(token), user_id=user.id, created_at=now, expires_at=expires_at))
    return token


async def reset_password(
    session: AsyncSession, token: str, new_hash: str, settings: AuthSettings, *, address: str
) -> None:
    """Raises InvalidResetToken. Locking the user first lets one of several at once win."""
    now = datetime.now(UTC)
    user_id = await queries.user_id_of_reset(session, digest(token), now)
    user = await lock_user(session, user_id) if user_id is not None else None
    if user is None or not user.is_active or not await queries.user_id_of_reset(session, digest(token), now):
        raise InvalidResetToken()
    set_actor(user.id, user.username)
    await _replace_password(session, user, new_hash, settings, method="reset")
    for login in (user.username, user.email):
        await forgive_everything(session, Attempt(login, address, is_familiar=False), user.id)


async def _replace_password(
    session: AsyncSession, user: User, new_hash: str, settings: AuthSettings, *, method: str
) -> None:
    user.password_hash = new_hash
    now = datetime.now(UTC)
    await queries.use_up_resets(session, user.id, now)
    end_sessions(session, await lock_live_sessions(session, user.id), settings, reason="password_changed")
    outbox.add(session, UserPasswordChanged(user_id=user.id, username=user.username, method=method))
    await queue_letter(session, LetterKind.PASSWORD_CHANGED, user.email, now)
