"""Finds API keys that still work."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Select, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.api_keys.model import ApiKey
from stockbuddy.auth.users.model import User


def live_keys(owner_id: int | None) -> Select[ApiKey]:
    """One's own, or with null everybody's; expired ones too, until they are deleted."""
    wanted = select(ApiKey).where(ApiKey.revoked_at.is_(None))
    return wanted if owner_id is None else wanted.where(ApiKey.owner_id == owner_id)


async def lock_key(session: AsyncSession, key_id: int) -> ApiKey | None:
    return await session.get(ApiKey, key_id, with_for_update=True)


async def lock_live_keys(session: AsyncSession, owner_id: int) -> Sequence[ApiKey]:
    return (await session.scalars(live_keys(owner_id).order_by(ApiKey.id).with_for_update())).all()


async def key_and_owner(session: AsyncSession, digest: bytes, now: datetime) -> tuple[ApiKey, User] | None:
    """The key with that secret, if it and its owner may act."""
    wanted = (
        select(ApiKey, User)
        .join(User, User.id == ApiKey.owner_id)
        .where(
            ApiKey.digest == digest,
            ApiKey.revoked_at.is_(None),
            or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now),
            User.is_active,
        )
    )
    row = (await session.execute(wanted)).first()
    return (row[0], row[1]) if row else None


_NOTE_USES = text("""
    UPDATE api_key SET last_used_at = used.at
    FROM (
        SELECT api_key.id, noted.at
        FROM unnest(CAST(:ids AS bigint[]), CAST(:moments AS timestamptz[])) AS noted (id, at)
        JOIN api_key ON api_key.id = noted.id
        WHERE revoked_at IS NULL AND (last_used_at IS NULL OR last_used_at < noted.at)
        FOR UPDATE OF api_key SKIP LOCKED
    ) AS used
    WHERE api_key.id = used.id
""")


async def note_uses(session: AsyncSession, moments: Mapping[int, datetime]) -> None:
    """By id, when keys were used last. Passes over keys that somebody is changing: it must never hold them up."""
    if moments:
        await session.execute(_NOTE_USES, {"ids": list(moments), "moments": list(moments.values())})
