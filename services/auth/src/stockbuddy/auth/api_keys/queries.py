"""Queries of API keys."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.api_keys.model import ApiKey
from stockbuddy.auth.last_used_queries import last_used_statement, record_times
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


_RECORD_LAST_USED = last_used_statement("api_key", id_type="bigint", ended="revoked_at")


async def record_last_used(session: AsyncSession, times: Mapping[int, datetime]) -> None:
    """Update `last_used_at` of the keys with these ids."""
    await record_times(session, _RECORD_LAST_USED, times)
