"""Forgets, every hour, what has had its day."""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog
from fastapi import FastAPI

from stockbuddy.auth.logins import queries as logins
from stockbuddy.auth.passwords import queries as passwords
from stockbuddy.auth.sessions import queries as sessions
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.failures import is_connection_error

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 3600
ENDED_SESSION = timedelta(days=30)
FAILED_LOGIN = timedelta(days=2)
"""By then every count of failures has been forgiven (see logins.throttle)."""
FAMILIAR_ADDRESS = timedelta(days=90)
EXPIRED_RESET = timedelta(days=7)


async def forget_outdated(app: FastAPI) -> None:
    """Until cancelled."""
    database: Database = app.state.database
    while True:
        try:
            await _forget(database, datetime.now(UTC))
        except Exception as error:
            if not is_connection_error(error):
                raise
            log.warning("upkeep.database_away")
        await asyncio.sleep(INTERVAL_SECONDS)


async def _forget(database: Database, now: datetime) -> None:
    async with database.transaction() as session:
        await sessions.delete_outdated(session, ended_before=now - ENDED_SESSION)
        await passwords.delete_outdated(session, expired_before=now - EXPIRED_RESET)
        await logins.delete_outdated(session, counted_before=now - FAILED_LOGIN, known_before=now - FAMILIAR_ADDRESS)
