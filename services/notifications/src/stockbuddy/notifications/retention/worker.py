"""Forgets, every hour, what nobody will ask for any more."""

import asyncio

import structlog
from fastapi import FastAPI

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.failures import is_connection_error
from stockbuddy.notifications.retention.queries import AT_ONCE, TIDY

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 3600


async def run_maintenance(app: FastAPI) -> None:
    """Until cancelled."""
    while True:
        try:
            await forget_old(app.state.database)
        except Exception as error:
            if not is_connection_error(error):
                raise
            log.warning("retention.database_away", error=repr(error))
        await asyncio.sleep(INTERVAL_SECONDS)


async def forget_old(database: Database) -> None:
    for statement in TIDY.values():
        forgotten = AT_ONCE
        while forgotten == AT_ONCE:
            async with database.transaction() as session:
                forgotten = len((await session.execute(statement)).all())
