"""The connection pool: opens what is needed at once, and closes what is no longer needed."""

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from stockbuddy.chassis.postgres.database import create_engine
from stockbuddy.chassis.postgres.pool import ShrinkingPool

DEADLINE_SECONDS = 120
_OPEN = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'shrinking'")


class QuicklyShrinkingPool(ShrinkingPool):
    window_seconds = 0.05


class SlowlyShrinkingPool(ShrinkingPool):
    window_seconds = 3600


def open_engine(url: str, pool: type[ShrinkingPool]) -> AsyncEngine:
    """At most four connections stay open, and two more while they are in use."""
    settings = {"application_name": "shrinking"}
    return create_engine(url, server_settings=settings, poolclass=pool, pool_size=4, max_overflow=2)


async def count_open(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        found: int = (await connection.execute(_OPEN)).scalar_one()
        return found


async def use_at_once(engine: AsyncEngine, connections: int) -> int:
    """Take so many connections at once; returns how many are open then."""
    barrier = asyncio.Barrier(connections)

    async def use() -> int:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
            await barrier.wait()
            found: int = (await connection.execute(_OPEN)).scalar_one()
            await barrier.wait()
            return found

    async with asyncio.timeout(DEADLINE_SECONDS):
        return max(await asyncio.gather(*(use() for _ in range(connections))))


async def test_connections_of_a_burst_are_closed_and_opened_again(database_url: str) -> None:
    engine = open_engine(database_url, QuicklyShrinkingPool)
    for _ in range(2):
        assert await use_at_once(engine, 6) == 6
        async with asyncio.timeout(DEADLINE_SECONDS):
            while await count_open(engine) > 1:
                await asyncio.sleep(0.01)
    await engine.dispose()


async def test_connections_in_regular_use_stay_open(database_url: str) -> None:
    engine = open_engine(database_url, SlowlyShrinkingPool)
    await use_at_once(engine, 4)
    assert [await count_open(engine) for _ in range(20)] == [4] * 20
    await engine.dispose()
