"""Queries of login counters and known addresses."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.logins.model import KnownAddress, LoginChallenge, LoginCounter


async def find_blocked_until(session: AsyncSession, keys: Collection[bytes], now: datetime) -> datetime | None:
    """The latest end of a backoff in force."""
    statement = select(LoginCounter.blocked_until).where(LoginCounter.key.in_(keys), LoginCounter.blocked_until > now)
    return max(filter(None, await session.scalars(statement)), default=None)


async def lock_counters(session: AsyncSession, keys: Collection[bytes]) -> Sequence[LoginCounter]:
    """The existing counters, locked in the order of their keys, which prevents deadlocks."""
    statement = select(LoginCounter).where(LoginCounter.key.in_(keys)).order_by(LoginCounter.key).with_for_update()
    return (await session.scalars(statement)).all()


async def create_and_lock_counters(
    session: AsyncSession, keys: Sequence[bytes], now: datetime
) -> Sequence[LoginCounter]:
    """All counters; missing ones are created. `keys` are sorted, which prevents deadlocks."""
    rows = [{"key": key, "failures": 0, "counted_at": now} for key in keys]
    await session.execute(insert(LoginCounter).values(rows).on_conflict_do_nothing())
    return await lock_counters(session, keys)


async def delete_counters(session: AsyncSession, keys: Collection[bytes]) -> None:
    await session.execute(delete(LoginCounter).where(LoginCounter.key.in_(keys)))


async def delete_expired_counters(session: AsyncSession, *, before: datetime) -> None:
    await session.execute(delete(LoginCounter).where(LoginCounter.counted_at < before))


async def is_known_address(session: AsyncSession, user_id: int, address: str) -> bool:
    condition = exists().where(KnownAddress.user_id == user_id, KnownAddress.address == address)
    return bool(await session.scalar(select(condition)))


async def record_address(session: AsyncSession, user_id: int, address: str, now: datetime) -> None:
    statement = insert(KnownAddress).values(user_id=user_id, address=address, last_login_at=now)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[KnownAddress.user_id, KnownAddress.address], set_={"last_login_at": now}
        )
    )


async def delete_expired_addresses(session: AsyncSession, *, before: datetime) -> None:
    await session.execute(delete(KnownAddress).where(KnownAddress.last_login_at < before))


async def find_challenge(session: AsyncSession, digest: bytes, now: datetime) -> LoginChallenge | None:
    """The login that awaits a second factor, unless it has expired."""
    return await session.scalar(
        select(LoginChallenge).where(LoginChallenge.digest == digest, LoginChallenge.expires_at > now)
    )


async def delete_challenge(session: AsyncSession, digest: bytes, now: datetime) -> LoginChallenge | None:
    """The same, deleted: of concurrent calls, one finds it."""
    valid = (LoginChallenge.digest == digest, LoginChallenge.expires_at > now)
    return await session.scalar(delete(LoginChallenge).where(*valid).returning(LoginChallenge))


async def delete_challenges_of(session: AsyncSession, user_id: int) -> None:
    """Started logins of a user whose password or factors have changed."""
    await session.execute(delete(LoginChallenge).where(LoginChallenge.user_id == user_id))


async def delete_expired_challenges(session: AsyncSession, *, before: datetime) -> None:
    await session.execute(delete(LoginChallenge).where(LoginChallenge.expires_at < before))
