"""Keeps the closing balances up to date, beside the requests."""

import asyncio

import structlog
from fastapi import FastAPI

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.failures import is_connection_error
from stockbuddy.stock.insights.history.queries import close_levels

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 15.0
LEVELS_AT_ONCE = 500
CHANGES_AT_ONCE = 20_000
"""A second's work: after a bulk load there are millions, and each piece of them must end in time."""


async def keep_closing(app: FastAPI) -> None:
    """Until cancelled: now and then take what has moved into the closing balances. Replicas take turns."""
    database: Database = app.state.database
    while True:
        try:
            while await _close(database):
                pass
        except Exception as error:
            if not is_connection_error(error):
                raise
            log.warning("closing.database_away")
        await asyncio.sleep(INTERVAL_SECONDS)


async def _close(database: Database) -> bool:
    async with database.transaction() as session:
        return await close_levels(session, LEVELS_AT_ONCE, CHANGES_AT_ONCE)
