"""Reads and locks the counts of failed logins, and knows familiar addresses."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.logins.model import KnownAddress, LoginThrottle


async def blocked_until(session: AsyncSession, keys: Collection[bytes], now: datetime) -> datetime | None:
    """The latest pause that has not passed yet."""
    wanted = select(LoginThrottle.blocked_until).where(LoginThrottle.key.in_(keys), LoginThrottle.blocked_until > now)
    return max(filter(None, await session.scalars(wanted)), default=None)


async def lock_counts(session: AsyncSession, keys: Collection[bytes]) -> Sequence[LoginThrottle]:
    """Those that exist, in the order of their keys."""
    wanted = select(LoginThrottle).where(LoginThrottle.key.in_(keys)).order_by(LoginThrottle.key).with_for_update()
    return (await session.scalars(wanted)).all()


async def make_and_lock_counts(session: AsyncSession, keys: Sequence[bytes], now: datetime) -> Sequence[LoginThrottle]:
    """All of them, made where they are missing. `keys` are in order."""
    rows = [{"key": key, "failures": 0, "counted_at": now} for key in keys]
    await session.execute(insert(LoginThrottle).values(rows).on_conflict_do_nothing())
    return await lock_counts(session, keys)


async def is_known_address(session: AsyncSession, user_id: int, address: str) -> bool:
    wanted = exists().where(KnownAddress.user_id == user_id, KnownAddress.address == address)
    return bool(await session.scalar(select(wanted)))


async def remember_address(session: AsyncSession, user_id: int, address: str, now: datetime) -> None:
    statement = insert(KnownAddress).values(user_id=user_id, address=address, last_login_at=now)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[KnownAddress.user_id, KnownAddress.address], set_={"last_login_at": now}
        )
    )


async def delete_counts(session: AsyncSession, keys: Collection[bytes]) -> None:
    await session.execute(delete(LoginThrottle).where(LoginThrottle.key.in_(keys)))


async def delete_outdated(session: AsyncSession, *, counted_before: datetime, known_before: datetime) -> None:
    await session.execute(delete(LoginThrottle).where(LoginThrottle.counted_at < counted_before))
    await session.execute(delete(KnownAddress).where(KnownAddress.last_login_at < known_before))
