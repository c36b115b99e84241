"""Queries of API keys."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Select, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.api_keys.model import ApiKey
from stockbuddy.auth.users.model import User


def select_keys(owner_id: int | None) -> Select[ApiKey]:
    """Keys of an owner (null: of all) that are not revoked; expired ones included."""
    statement = select(ApiKey).where(ApiKey.revoked_at.is_(None))
    return statement if owner_id is None else statement.where(ApiKey.owner_id == owner_id)


async def find_key(session: AsyncSession, key_id: int) -> ApiKey | None:
    return await session.get(ApiKey, key_id)


async def lock_key(session: AsyncSession, key_id: int) -> ApiKey | None:
    return await session.get(ApiKey, key_id, with_for_update=True)


async def lock_keys(session: AsyncSession, owner_id: int) -> Sequence[ApiKey]:
    """The owner's keys that are not revoked."""
    return (await session.scalars(select_keys(owner_id).order_by(ApiKey.id).with_for_update())).all()


async def find_valid_key(session: AsyncSession, digest: bytes, now: datetime) -> tuple[ApiKey, User] | None:
    """The key with this digest and its owner, unless the key is revoked or expired or the owner inactive."""
    statement = (
        select(ApiKey, User)
        .join(User, User.id == ApiKey.owner_id)
        .where(
            ApiKey.digest == digest,
            ApiKey.revoked_at.is_(None),
            or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now),
            User.is_active,
        )
    )
    row = (await session.execute(statement)).first()
    return (row[0], row[1]) if row else None


# SKIP LOCKED: this report must not wait for, or delay, a transaction that changes a key.
_RECORD_LAST_USED = text("""
    UPDATE api_key SET last_used_at = reported.used_at
    FROM (
        SELECT api_key.id, report.used_at
        FROM unnest(CAST(:ids AS bigint[]), CAST(:times AS timestamptz[])) AS report (id, used_at)
        JOIN api_key ON api_key.id = report.id
        WHERE revoked_at IS NULL AND (last_used_at IS NULL OR last_used_at < report.used_at)
        FOR UPDATE OF api_key SKIP LOCKED
    ) AS reported
    WHERE api_key.id = reported.id
""")


async def record_last_used(session: AsyncSession, times: Mapping[int, datetime]) -> None:
    """Update `last_used_at` of the keys with these ids."""
    if times:
        await session.execute(_RECORD_LAST_USED, {"ids": list(times), "times": list(times.values())})
