"""Opens, prolongs and ends sessions. Whatever ends one also tells the gateway to refuse its tokens."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.crypto import digest, make_secret
from stockbuddy.auth.sessions import queries
from stockbuddy.auth.sessions.model import LoginSession, RefreshToken, Revocation
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.users.model import User
from stockbuddy.auth.users.queries import user_by_id
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.messaging.event_context import current_event_context, set_actor
from stockbuddy.contracts.auth import SessionRefreshed, SessionRevoked, UserLoggedIn

LATE_TOKEN = timedelta(seconds=60)
"""A token may still be signed for a session just before its end is committed."""

LONGEST_USER_AGENT = 500


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session with its user and the secret that prolongs it, which is shown once."""

    session: LoginSession
    user: User
    refresh_token: str


async def open_session(
    session: AsyncSession, user: User, settings: AuthSettings, *, user_agent: str | None, method: str = "password"
) -> OpenedSession:
    """A session for `user`, who has proven who they are by `method`."""
    opened = await _begin(session, user, settings, user_agent=user_agent, method=method)
    return OpenedSession(opened, user, _add_refresh_token(session, opened, opened.created_at))


async def open_browser_session(
    session: AsyncSession, user: User, settings: AuthSettings, *, user_agent: str | None
) -> tuple[LoginSession, str]:
    """The same for a browser; also the secret for its cookie, which is shown once."""
    opened = await _begin(session, user, settings, user_agent=user_agent, method="browser")
    cookie = make_secret()
    opened.cookie_digest = digest(cookie)
    return opened, cookie


async def _begin(
    session: AsyncSession, user: User, settings: AuthSettings, *, user_agent: str | None, method: str
) -> LoginSession:
    now = datetime.now(UTC)
    begun = LoginSession(
        id=uuid.uuid4(),
        user_id=user.id,
        generation=0,
        user_agent=user_agent[:LONGEST_USER_AGENT] if user_agent else None,
        ip_address=current_event_context().client_ip,
        created_at=now,
        last_used_at=now,
        expires_at=now + timedelta(days=settings.session_days),
    )
    session.add(begun)
    await session.flush()
    set_actor(user.id, user.username)
    said = UserLoggedIn(user_id=user.id, username=user.username, session_id=str(begun.id), method=method)
    outbox.add(session, said)
    return begun


async def refresh_session(session: AsyncSession, refresh_token: str, settings: AuthSettings) -> OpenedSession | None:
    """The session prolonged with a new refresh token, or None for a token that is not valid.
    A token that was used before ends the session, since two parties hold it: let that be committed."""
    token_digest = digest(refresh_token)
    session_id = await queries.session_of_refresh_token(session, token_digest)
    prolonged = session_id and await queries.lock_session(session, session_id)
    now = datetime.now(UTC)
    if not prolonged or not prolonged.is_alive(now):
        return None
    user = await user_by_id(session, prolonged.user_id)
    if user is None or not user.is_active:
        return None
    set_actor(user.id, user.username)
    if not await queries.use_refresh_token(session, token_digest, now):
        end_session(session, prolonged, settings, reason="refresh_token_reused")
        return None
    prolonged.last_used_at = now
    prolonged.ip_address = current_event_context().client_ip
    prolonged.expires_at = now + timedelta(days=settings.session_days)
    outbox.add(session, SessionRefreshed(session_id=str(prolonged.id), user_id=user.id))
    return OpenedSession(prolonged, user, _add_refresh_token(session, prolonged, now))


def end_session(session: AsyncSession, ended: LoginSession, settings: AuthSettings, *, reason: str) -> None:
    """`ended` is locked and alive."""
    ended.ended_at = datetime.now(UTC)
    ended.ended_reason = reason
    revoke_tokens(session, ended.sid, settings)
    outbox.add(session, SessionRevoked(session_id=str(ended.id), user_id=ended.user_id, reason=reason))


def end_sessions(session: AsyncSession, ended: Iterable[LoginSession], settings: AuthSettings, *, reason: str) -> None:
    for one in ended:
        end_session(session, one, settings, reason=reason)


def renew_sid(session: AsyncSession, renewed: LoginSession, settings: AuthSettings) -> None:
    """The session goes on, but what its access tokens say of its user is no longer true: they are refused, and the
    next refresh brings one that tells the truth. `renewed` is locked and alive."""
    revoke_tokens(session, renewed.sid, settings)
    renewed.generation += 1


def revoke_tokens(session: AsyncSession, sid: str, settings: AuthSettings) -> None:
    """Access tokens with this `sid` are refused from the commit on."""
    lifetime = timedelta(seconds=settings.access_token_seconds)
    session.add(Revocation(sid=sid, needed_until=datetime.now(UTC) + lifetime + LATE_TOKEN))


def principal_of(user: User, sid: str, *, lifetime_seconds: int) -> Principal:
    """What an access token says about `user`."""
    return Principal(
        user_id=user.id,
        username=user.username,
        role=user.role,
        session_id=sid,
        warehouse_ids=None if user.warehouse_ids is None else frozenset(user.warehouse_ids),
        expires_at=int(datetime.now(UTC).timestamp()) + lifetime_seconds,
    )


def _add_refresh_token(session: AsyncSession, opened: LoginSession, now: datetime) -> str:
    refresh_token = make_secret()
    session.add(RefreshToken(digest=digest(refresh_token), session_id=opened.id, created_at=now))
    return refresh_token
