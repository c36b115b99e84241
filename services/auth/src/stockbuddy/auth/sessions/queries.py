"""Queries of sessions, refresh tokens and revocations."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

import asyncpg
from sqlalchemy import ColumnElement, Select, delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.last_used_queries import last_used_statement, record_times
from stockbuddy.auth.sessions.model import LoginSession, RefreshToken, StreamTicket
from stockbuddy.contracts.internal import RevocationsResponse


async def lock_session(session: AsyncSession, session_id: uuid.UUID) -> LoginSession | None:
    return await session.get(LoginSession, session_id, with_for_update=True, populate_existing=True)


async def find_session(session: AsyncSession, session_id: uuid.UUID) -> LoginSession | None:
    return await session.get(LoginSession, session_id)


async def lock_active_sessions(session: AsyncSession, user_id: int) -> Sequence[LoginSession]:
    """A user's sessions that have not ended, locked in the order of their ids."""
    statement = select(LoginSession).where(LoginSession.user_id == user_id, LoginSession.ended_at.is_(None))
    return (await session.scalars(statement.order_by(LoginSession.id).with_for_update())).all()


def _is_active(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return LoginSession.ended_at.is_(None), LoginSession.expires_at > now


def select_active_sessions(user_id: int, now: datetime) -> Select[LoginSession]:
    return select(LoginSession).where(LoginSession.user_id == user_id, *_is_active(now))


async def find_session_by_cookie(session: AsyncSession, digest: bytes, now: datetime) -> LoginSession | None:
    return await session.scalar(select(LoginSession).where(LoginSession.cookie_digest == digest, *_is_active(now)))


async def use_stream_ticket(session: AsyncSession, digest: bytes, now: datetime) -> LoginSession | None:
    """The active session of the ticket, which is deleted: of concurrent uses, one finds it."""
    valid = (StreamTicket.digest == digest, StreamTicket.expires_at > now)
    session_id = await session.scalar(delete(StreamTicket).where(*valid).returning(StreamTicket.session_id))
    return await session.scalar(select(LoginSession).where(LoginSession.id == session_id, *_is_active(now)))


async def find_session_id_by_refresh_token(session: AsyncSession, digest: bytes) -> uuid.UUID | None:
    return await session.scalar(select(RefreshToken.session_id).where(RefreshToken.digest == digest))


async def use_refresh_token(session: AsyncSession, digest: bytes, now: datetime) -> bool:
    """False if the token was used before."""
    used = await session.execute(
        update(RefreshToken)
        .where(RefreshToken.digest == digest, RefreshToken.used_at.is_(None))
        .values(used_at=now)
        .returning(RefreshToken.digest)
    )
    return used.first() is not None


async def extend_session(session: AsyncSession, session_id: uuid.UUID, expires_at: datetime) -> None:
    is_extended = (LoginSession.id == session_id, LoginSession.ended_at.is_(None), LoginSession.expires_at < expires_at)
    await session.execute(update(LoginSession).where(*is_extended).values(expires_at=expires_at))


_RECORD_LAST_USED = last_used_statement("login_session", id_type="uuid", ended="ended_at")


async def record_last_used(session: AsyncSession, times: Mapping[uuid.UUID, datetime]) -> None:
    """Update `last_used_at` of the sessions with these ids."""
    await record_times(session, _RECORD_LAST_USED, times)


_CURSOR = "SELECT CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text)"

_ALL_REVOCATIONS = f"""
    SELECT ({_CURSOR}) AS cursor,
           COALESCE((SELECT array_agg(sid) FROM revocation WHERE needed_until > now()), '{{}}') AS sids
"""
_REVOCATIONS_AFTER = f"""
    SELECT ({_CURSOR}) AS cursor,
           COALESCE((SELECT array_agg(sid) FROM revocation
                     WHERE xid >= CAST($1::text AS xid8)), '{{}}') AS sids,
           CAST($1::text AS xid8) <= pg_snapshot_xmax(pg_current_snapshot()) AS is_known
"""


async def list_revocations(connection: asyncpg.Connection, after: str | None) -> RevocationsResponse:
    """Revocations since the cursor `after`; without one, all that are still needed.

    The cursor is the oldest transaction in progress when the previous response was read. A revocation that was not
    visible then has that transaction's id or a later one, so late commits are not skipped, without any lock. A cursor
    beyond the newest transaction is from another database (before a restore): all revocations are returned.
    """
    if after is not None:
        row = await connection.fetchrow(_REVOCATIONS_AFTER, after)
        if row["is_known"]:
            return RevocationsResponse(session_ids=row["sids"], cursor=row["cursor"])
    row = await connection.fetchrow(_ALL_REVOCATIONS)
    return RevocationsResponse(session_ids=row["sids"], cursor=row["cursor"])


async def delete_expired(session: AsyncSession, *, before: datetime) -> None:
    """Delete revocations that are no longer needed, expired tickets, and sessions that ended or expired before that
    time."""
    await session.execute(text("DELETE FROM revocation WHERE needed_until < now()"))
    await session.execute(text("DELETE FROM stream_ticket WHERE expires_at < now()"))
    await session.execute(
        delete(LoginSession).where((LoginSession.ended_at < before) | (LoginSession.expires_at < before))
    )
