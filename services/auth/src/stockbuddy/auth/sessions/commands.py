"""Creates, refreshes and revokes sessions. A revocation makes the gateway refuse the session's access tokens."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.crypto import create_secret, digest
from stockbuddy.auth.roles.queries import load_rights
from stockbuddy.auth.roles.rights import Rights
from stockbuddy.auth.sessions import queries
from stockbuddy.auth.sessions.model import LoginSession, RefreshToken, Revocation, StreamTicket
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.system_settings.queries import requires_second_factor
from stockbuddy.auth.users.model import User
from stockbuddy.auth.users.queries import find_user
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.event_context import current_event_context, set_actor
from stockbuddy.contracts.auth import SessionRefreshed, SessionRevoked, SessionVerified, UserLoggedIn

REVOCATION_MARGIN = timedelta(seconds=60)
"""A token may be signed just before the commit of the revocation."""

STREAM_TICKET_LIFETIME = timedelta(minutes=1)
MAX_USER_AGENT_LENGTH = 500


@dataclass(frozen=True, slots=True)
class CreatedSession:
    """A session with its user, the user's rights, its refresh token and, in a browser, its cookie. Both secrets are
    returned to the client once and stored as digests."""

    session: LoginSession
    user: User
    rights: Rights
    refresh_token: str
    cookie: str | None = None


async def create_session(
    session: AsyncSession,
    user: User,
    settings: AuthSettings,
    *,
    user_agent: str | None,
    method: str = "password",
    second_factor: str | None = None,
    with_cookie: bool = False,
) -> CreatedSession:
    """A session for `user`, who was authenticated by `method` and, if required, by `second_factor`."""
    created = await _create(session, user, settings, user_agent=user_agent, method=method, second_factor=second_factor)
    cookie = _set_cookie(created) if with_cookie else None
    rights = await load_rights(session, user.role, user.warehouse_ids)
    return CreatedSession(created, user, rights, _add_refresh_token(session, created, created.created_at), cookie)


async def create_browser_session(
    session: AsyncSession,
    user: User,
    settings: AuthSettings,
    *,
    user_agent: str | None,
    method: str = "browser",
    second_factor: str | None = None,
) -> tuple[LoginSession, str]:
    """The same for a browser; also the value of its cookie, which is stored as a digest."""
    created = await _create(session, user, settings, user_agent=user_agent, method=method, second_factor=second_factor)
    return created, _set_cookie(created)


def _set_cookie(created: LoginSession) -> str:
    cookie = create_secret()
    created.cookie_digest = digest(cookie)
    return cookie


async def _create(
    session: AsyncSession,
    user: User,
    settings: AuthSettings,
    *,
    user_agent: str | None,
    method: str,
    second_factor: str | None,
) -> LoginSession:
    now = clock.now()
    created = LoginSession(
        id=uuid.uuid4(),
        user_id=user.id,
        token_generation=0,
        user_agent=user_agent[:MAX_USER_AGENT_LENGTH] if user_agent else None,
        ip_address=current_event_context().client_ip,
        created_at=now,
        last_used_at=now,
        authenticated_at=now,
        second_factor_at=now if second_factor else None,
        expires_at=session_expiry(now, now, settings),
    )
    session.add(created)
    await session.flush()
    set_actor(user.id, user.username)
    event = UserLoggedIn(
        user_id=user.id,
        username=user.username,
        session_id=str(created.id),
        method=method,
        second_factor=second_factor,
    )
    outbox.add(session, event)
    return created


async def refresh_session(session: AsyncSession, refresh_token: str, settings: AuthSettings) -> CreatedSession | None:
    """Rotate the refresh token; None if invalid. Reuse of a rotated token revokes the session (token theft), as does a
    missing second factor, so the caller must commit even when None is returned."""
    token_digest = digest(refresh_token)
    session_id = await queries.find_session_id_by_refresh_token(session, token_digest)
    refreshed = session_id and await queries.lock_session(session, session_id)
    now = clock.now()
    if not refreshed or not refreshed.is_active(now):
        return None
    expires_at = session_expiry(refreshed.created_at, now, settings)
    if expires_at <= now:
        return None
    user = await find_user(session, refreshed.user_id)
    if user is None or not user.is_active:
        return None
    set_actor(user.id, user.username)
    if await lacks_second_factor(session, refreshed, user):
        revoke_session(session, refreshed, settings, reason="second_factor_required")
        return None
    if not await queries.use_refresh_token(session, token_digest, now):
        revoke_session(session, refreshed, settings, reason="refresh_token_reused")
        return None
    refreshed.last_used_at = now
    refreshed.ip_address = current_event_context().client_ip
    refreshed.expires_at = expires_at
    outbox.add(session, SessionRefreshed(session_id=str(refreshed.id), user_id=user.id))
    rights = await load_rights(session, user.role, user.warehouse_ids)
    return CreatedSession(refreshed, user, rights, _add_refresh_token(session, refreshed, now))


def session_expiry(created_at: datetime, now: datetime, settings: AuthSettings) -> datetime:
    """The expiry of a session that is used now: each use extends it, but not beyond its maximum lifetime."""
    maximum = created_at + timedelta(days=settings.session_max_days)
    return min(now + timedelta(days=settings.session_days), maximum)


async def find_browser_session(
    session: AsyncSession, cookie: str, settings: AuthSettings, now: datetime
) -> tuple[LoginSession, User] | None:
    """The session of a browser's cookie and its user; None if it is not valid."""
    found = await queries.find_session_by_cookie(session, digest(cookie), now)
    user = await find_user(session, found.user_id) if found else None
    if found is None or user is None or not user.is_active:
        return None
    if session_expiry(found.created_at, now, settings) <= now or await lacks_second_factor(session, found, user):
        return None
    return found, user


async def lacks_second_factor(session: AsyncSession, existing: LoginSession, user: User) -> bool:
    """True if the user's role requires a second factor, and the session was created without one."""
    return existing.second_factor_at is None and await requires_second_factor(session, user.role)


def record_verification(
    session: AsyncSession, verified: LoginSession, *, method: str, is_second_factor: bool
) -> datetime:
    """The user of the session, which is locked, has proved their identity again, at the time that is returned."""
    verified.authenticated_at = now = clock.now()
    if is_second_factor:
        verified.second_factor_at = now
    outbox.add(session, SessionVerified(session_id=str(verified.id), user_id=verified.user_id, method=method))
    return now


def revoke_session(session: AsyncSession, revoked: LoginSession, settings: AuthSettings, *, reason: str) -> None:
    """`revoked` is locked and active."""
    revoked.ended_at = clock.now()
    revoked.ended_reason = reason
    revoke_tokens(session, revoked.sid, settings)
    outbox.add(session, SessionRevoked(session_id=str(revoked.id), user_id=revoked.user_id, reason=reason))


async def revoke_sessions(session: AsyncSession, user_id: int, settings: AuthSettings, *, reason: str) -> None:
    """Revoke all sessions of a user."""
    for active in await queries.lock_active_sessions(session, user_id):
        revoke_session(session, active, settings, reason=reason)


def rotate_session_id(session: AsyncSession, rotated: LoginSession, settings: AuthSettings) -> None:
    """Revoke the access tokens, whose claims are outdated, but not the session: the next refresh issues tokens with
    current claims. `rotated` is locked and active."""
    revoke_tokens(session, rotated.sid, settings)
    rotated.token_generation += 1


def revoke_tokens(session: AsyncSession, sid: str, settings: AuthSettings) -> None:
    """Refuse access tokens with this `sid` from the commit on."""
    lifetime = timedelta(seconds=settings.access_token_seconds)
    session.add(Revocation(sid=sid, needed_until=clock.now() + lifetime + REVOCATION_MARGIN))


def create_stream_ticket(session: AsyncSession, session_id: uuid.UUID) -> str:
    """A ticket, stored as a digest."""
    ticket = create_secret()
    expires_at = clock.now() + STREAM_TICKET_LIFETIME
    session.add(StreamTicket(digest=digest(ticket), session_id=session_id, expires_at=expires_at))
    return ticket


def _add_refresh_token(session: AsyncSession, extended: LoginSession, now: datetime) -> str:
    refresh_token = create_secret()
    session.add(RefreshToken(digest=digest(refresh_token), session_id=extended.id, created_at=now))
    return refresh_token
