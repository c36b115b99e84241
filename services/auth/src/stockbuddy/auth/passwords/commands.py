"""Changes of passwords, by users who are logged in and by users with a reset token."""

import uuid
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.api_keys.commands import revoke_keys_of
from stockbuddy.auth.apps.grant_commands import withdraw_consents_of
from stockbuddy.auth.crypto import SecretBox, create_secret, digest
from stockbuddy.auth.dependencies import AuthServices
from stockbuddy.auth.email.model import EmailKind
from stockbuddy.auth.email.queue import queue_email
from stockbuddy.auth.errors import InvalidResetToken, WrongPassword
from stockbuddy.auth.logins.commands import reset_all_failures
from stockbuddy.auth.logins.queries import delete_challenges_of
from stockbuddy.auth.logins.throttle import Attempt, digest_login
from stockbuddy.auth.passwords import queries
from stockbuddy.auth.passwords.model import PasswordReset
from stockbuddy.auth.sessions.commands import CreatedSession, create_session, revoke_sessions
from stockbuddy.auth.sessions.queries import lock_session
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.users.model import User
from stockbuddy.auth.users.queries import find_user_by_email, lock_user
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.event_context import set_actor
from stockbuddy.contracts.auth import UNKNOWN_LOGIN, PasswordResetRequested, UserPasswordChanged, UserUpdated

MIN_RESET_INTERVAL = timedelta(seconds=60)
"""Further requests within it send no e-mail, so that a mailbox cannot be flooded."""


@dataclass(frozen=True, slots=True)
class NewPasswordHash:
    """`revoke_api_keys`: also revoke the user's API keys. `withdraw_consents`: also end what the user allows apps."""

    hash: str
    revoke_api_keys: bool
    withdraw_consents: bool


@dataclass(frozen=True, slots=True)
class CurrentSession:
    """The session of the request that changes the password."""

    id: uuid.UUID | None
    user_agent: str | None


async def change_password(
    session: AsyncSession, verified: User, replacement: NewPasswordHash, settings: AuthSettings, current: CurrentSession
) -> CreatedSession:
    """`verified`: the user whose old password was verified. Revokes all sessions and creates a new one, with a cookie
    if the current one has one. Raises WrongPassword."""
    user = await lock_user(session, verified.id)
    if user is None or user.password_hash != verified.password_hash:
        raise WrongPassword()  # changed by a concurrent request while the hashes were computed
    stored = await lock_session(session, current.id) if current.id else None
    await _replace_password(session, user, replacement, settings, method="change")
    created = await create_session(
        session,
        user,
        settings,
        user_agent=current.user_agent,
        method="password_change",
        with_cookie=stored is not None and stored.cookie_digest is not None,
    )
    created.session.second_factor_at = stored.second_factor_at if stored else None
    return created


async def request_reset(session: AsyncSession, email: str, secret_box: SecretBox) -> None:
    """Queue the e-mail. The response depends on nothing that is looked up here; the event does not contain what was
    entered for an unknown user."""
    await queue_email(session, EmailKind.PASSWORD_RESET, email, clock.now())
    user = await find_user_by_email(session, email)
    outbox.add(
        session,
        PasswordResetRequested(
            email=user.email if user else UNKNOWN_LOGIN,
            email_digest=None if user else digest_login(secret_box, email).hex(),
            user_id=user.id if user else None,
        ),
    )


async def create_reset_token(
    session: AsyncSession, user: User, settings: AuthSettings, *, is_retry: bool
) -> str | None:
    """A new token; None if the user is inactive or has received one within MIN_RESET_INTERVAL. `is_retry`: the e-mail
    with an earlier token was not sent."""
    now = clock.now()
    if not user.is_active:
        return None
    if not is_retry and await queries.has_token_since(session, user.id, now - MIN_RESET_INTERVAL):
        return None
    token = create_secret()
    expires_at = now + timedelta(seconds=settings.password_reset_seconds)
    session.add(PasswordReset(digest=digest(token), user_id=user.id, created_at=now, expires_at=expires_at))
    return token


async def reset_password(
    session: AsyncSession, token: str, replacement: NewPasswordHash, services: AuthServices, *, address: str
) -> None:
    """Raises InvalidResetToken. The user is locked before the token is validated again, so that one of several
    concurrent resets succeeds."""
    now = clock.now()
    user_id = await queries.find_user_id(session, digest(token), now)
    user = await lock_user(session, user_id) if user_id is not None else None
    if user is None or not user.is_active or not await queries.find_user_id(session, digest(token), now):
        raise InvalidResetToken()
    set_actor(user.id, user.username)
    await _replace_password(session, user, replacement, services.settings, method="reset")
    if not user.email_confirmed:
        user.email_confirmed = True  # the token was sent to the address
        user.touch()
        changes = {"email_confirmed": {"from": False, "to": True}}
        outbox.add(session, user.to_event(UserUpdated, changes=changes))
    for login in (user.username, user.email):
        attempt = Attempt(digest_login(services.secret_box, login), address, is_known_address=False)
        await reset_all_failures(session, attempt, user.id)


async def _replace_password(
    session: AsyncSession, user: User, replacement: NewPasswordHash, settings: AuthSettings, *, method: str
) -> None:
    """Also cancels a change of address in progress, which an attacker may have started."""
    user.password_hash = replacement.hash
    user.pending_email = None
    now = clock.now()
    await queries.invalidate_tokens(session, user.id, now)
    await delete_challenges_of(session, user.id)
    await revoke_sessions(session, user.id, settings, reason="password_changed")
    if replacement.revoke_api_keys:
        await revoke_keys_of(session, user, settings, reason="password_changed")
    if replacement.withdraw_consents:
        await withdraw_consents_of(session, user, settings, reason="password_changed")
    outbox.add(session, UserPasswordChanged(user_id=user.id, username=user.username, method=method))
    await queue_email(session, EmailKind.PASSWORD_CHANGED, user.email, now)
