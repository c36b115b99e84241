"""Keeps the clock of this process and company at the time of the database server."""

import time

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.background import PollingWorker

_TIME = text("SELECT extract(epoch FROM clock_timestamp())::float8")


async def synchronise_clock(session: AsyncSession) -> None:
    await session.connection()  # opened first, so that the round trip is one statement
    sent_at = time.monotonic()
    server_time = await session.scalar(_TIME)
    assert server_time is not None
    clock.company_clock().synchronise(server_time, sent_at=sent_at, received_at=time.monotonic())


def server_clock_worker(database: Database) -> PollingWorker:
    async def synchronise() -> None:
        async with database.reading() as session:
            await synchronise_clock(session)

    return PollingWorker("clock", synchronise, interval_seconds=clock.SYNCHRONISATION_INTERVAL_SECONDS)
