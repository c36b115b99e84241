"""Hourly maintenance of the chassis' tables: partitions are created ahead, and dropped when all their rows expired."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.postgres.partitions import FIND_STEPS
from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.chassis.runtime.failures import LOCK_TIMEOUT, classify

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 3600
MAX_LOCK_ATTEMPTS = 30
LOCK_INTERVAL_SECONDS = 2.0
"""Statements of others run between two attempts, which makes them wait for at most LOCK_TIMEOUT_MS each."""

# One step at a time. Repeated by another replica, it finds nothing to do.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext(current_schema() || ' maintenance'))")


def maintenance_worker(database: Database) -> PollingWorker:
    async def run() -> None:
        await maintain(database)

    return PollingWorker(f"{database.schema}.maintenance", run, interval_seconds=INTERVAL_SECONDS)


async def maintain(database: Database) -> None:
    """One round."""
    async with database.reading() as session:
        steps = list(await session.scalars(text(FIND_STEPS)))
    for step in steps:
        if not await repeat_until_locked(database, partial(_run_step, step=step)):
            log.warning("maintenance.postponed", schema=database.schema, step=step)


async def _run_step(session: AsyncSession, *, step: str) -> None:
    await session.execute(_LOCK)
    await session.execute(text(f"SELECT {step}()"))


async def repeat_until_locked(database: Database, run: Callable[[AsyncSession], Awaitable[None]]) -> bool:
    """Run it in a transaction, again while it waits for a lock longer than the function or statement allows. False if
    the lock was not free in MAX_LOCK_ATTEMPTS: a long report holds the lock of what it reads, and the attempts do not
    block others."""
    for _ in range(MAX_LOCK_ATTEMPTS):
        try:
            async with database.transaction() as session:
                await run(session)
        except DBAPIError as error:
            if classify(error).reason != LOCK_TIMEOUT:
                raise
            await asyncio.sleep(LOCK_INTERVAL_SECONDS)
        else:
            return True
    return False
