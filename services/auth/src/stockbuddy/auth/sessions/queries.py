"""Finds sessions and refresh tokens, and reads the revocations since a cursor."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.sessions.model import LoginSession, RefreshToken


async def lock_session(session: AsyncSession, session_id: uuid.UUID) -> LoginSession | None:
    return await session.get(LoginSession, session_id, with_for_update=True, populate_existing=True)


async def session_of_refresh_token(session: AsyncSession, digest: bytes) -> uuid.UUID | None:
    return await session.scalar(select(RefreshToken.session_id).where(RefreshToken.digest == digest))


async def use_refresh_token(session: AsyncSession, digest: bytes, now: datetime) -> bool:
    """True for the one who uses it first."""
    used = await session.execute(
        update(RefreshToken)
        .where(RefreshToken.digest == digest, RefreshToken.used_at.is_(None))
        .values(used_at=now)
        .returning(RefreshToken.digest)
    )
    return used.first() is not None


async def lock_live_sessions(
    session: AsyncSession, user_id: int, *, besides: uuid.UUID | None = None
) -> Sequence[LoginSession]:
    """A user's sessions that are not ended, in the order of their ids."""
    wanted = select(LoginSession).where(LoginSession.user_id == user_id, LoginSession.ended_at.is_(None))
    if besides is not None:
        wanted = wanted.where(LoginSession.id != besides)
    return (await session.scalars(wanted.order_by(LoginSession.id).with_for_update())).all()


async def session_of_cookie(session: AsyncSession, digest: bytes, now: datetime) -> LoginSession | None:
    wanted = select(LoginSession).where(
        LoginSession.cookie_digest == digest, LoginSession.ended_at.is_(None), LoginSession.expires_at > now
    )
    return await session.scalar(wanted)


_NOTE_USES = text("""
    UPDATE login_session SET last_used_at = used.at
    FROM (
        SELECT login_session.id, noted.at
        FROM unnest(CAST(:ids AS uuid[]), CAST(:moments AS timestamptz[])) AS noted (id, at)
        JOIN login_session ON login_session.id = noted.id
        WHERE ended_at IS NULL AND last_used_at < noted.at
        FOR UPDATE OF login_session SKIP LOCKED
    ) AS used
    WHERE login_session.id = used.id
""")


async def note_uses(session: AsyncSession, moments: Mapping[uuid.UUID, datetime]) -> None:
    """By id, when sessions were used last. Passes over sessions that somebody is changing, as a refresh does: it must
    never hold them up."""
    if moments:
        await session.execute(_NOTE_USES, {"ids": list(moments), "moments": list(moments.values())})


def live_sessions_of(user_id: int, now: datetime) -> Select[LoginSession]:
    """To be read page by page."""
    return select(LoginSession).where(
        LoginSession.user_id == user_id, LoginSession.ended_at.is_(None), LoginSession.expires_at > now
    )


@dataclass(frozen=True, slots=True)
class Revocations:
    """`sids` may repeat earlier ones. `cursor` stands behind everything that was committed when they were read."""

    sids: list[str]
    cursor: str


_CURSOR = "SELECT CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text)"

_ALL_REVOCATIONS = text(f"""
    SELECT ({_CURSOR}) AS cursor,
           COALESCE((SELECT array_agg(sid) FROM revocation WHERE needed_until > now()), '{{}}') AS sids
""")
_REVOCATIONS_AFTER = text(f"""
    SELECT ({_CURSOR}) AS cursor,
           COALESCE((SELECT array_agg(sid) FROM revocation
                     WHERE xid >= CAST(CAST(:after AS text) AS xid8)), '{{}}') AS sids,
           CAST(CAST(:after AS text) AS xid8) <= pg_snapshot_xmax(pg_current_snapshot()) AS is_ours
""")


async def revocations(session: AsyncSession, after: str | None) -> Revocations:
    """What was revoked since the cursor `after`, or everything that matters still.

    The cursor is the oldest transaction that was still at work when the earlier answer was read. Whatever that answer
    could not see yet was written by that transaction or a younger one, so none is skipped however late it commits,
    and nothing waits for anybody. A cursor from the future is from before the database was moved: everything again.
    """
    if after is not None:
        row = (await session.execute(_REVOCATIONS_AFTER, {"after": after})).one()
        if row.is_ours:
            return Revocations(row.sids, row.cursor)
    row = (await session.execute(_ALL_REVOCATIONS)).one()
    return Revocations(row.sids, row.cursor)


async def delete_outdated(session: AsyncSession, *, ended_before: datetime) -> None:
    """Forget revocations that matter no more, and sessions that ended or expired before then."""
    await session.execute(text("DELETE FROM revocation WHERE needed_until < now()"))
    await session.execute(
        delete(LoginSession).where((LoginSession.ended_at < ended_before) | (LoginSession.expires_at < ended_before))
    )
