"""Forgets, every hour, what has had its day: old revocations and sessions that ended long ago."""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog
from fastapi import FastAPI

from stockbuddy.auth.sessions.queries import delete_outdated
from stockbuddy.chassis.database import Database, is_database_away

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 3600
ENDED_SESSION_DAYS = 30


async def forget_outdated(app: FastAPI) -> None:
    """Until cancelled."""
    database: Database = app.state.database
    while True:
        try:
            async with database.transaction() as session:
                ended_before = datetime.now(UTC) - timedelta(days=ENDED_SESSION_DAYS)
                await delete_outdated(session, ended_before=ended_before)
        except Exception as error:
            if not is_database_away(error):
                raise
            log.warning("upkeep.database_away")
        await asyncio.sleep(INTERVAL_SECONDS)
