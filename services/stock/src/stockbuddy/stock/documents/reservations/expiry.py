"""A hold counts no longer from the moment its time is up: whoever is short of stock first takes overdue holds off
the levels that it needs, and a sweep takes off the rest soon after."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import asyncpg
import structlog
from fastapi import FastAPI

from stockbuddy.chassis.http.errors import NotFound, Problem
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.failures import is_connection_error
from stockbuddy.stock.documents.reservations.ending import expire
from stockbuddy.stock.documents.reservations.queries import find_overdue, find_overdue_on, find_reservation
from stockbuddy.stock.errors import WrongState
from stockbuddy.stock.ledger import Ledger, LevelKey, Posting

log = structlog.get_logger(__name__)

SWEEP_SECONDS = 1.0
SWEEP_SIZE = 100


async def reclaim_overdue(connection: asyncpg.Connection, levels: Sequence[LevelKey]) -> list[Posting]:
    """What gives back the overdue holds on `levels`."""
    return [expire(hold) for hold in await find_overdue_on(connection, levels)]


async def sweep_overdue(app: FastAPI) -> None:
    """Until cancelled: end the reservations whose time is up. Replicas may meet; one of them is then too late."""
    database: Database = app.state.database
    ledger: Ledger = app.state.ledger
    while True:
        swept = 0
        try:
            async with database.reading() as session:
                overdue = await find_overdue(session, SWEEP_SIZE)
            await asyncio.gather(*(_expire(database, ledger, reservation_id) for reservation_id in overdue))
            swept = len(overdue)
        except Exception as error:
            if not is_connection_error(error):
                raise
            log.warning("reservations.database_away")
        if swept < SWEEP_SIZE:
            await asyncio.sleep(SWEEP_SECONDS)


async def _expire(database: Database, ledger: Ledger, reservation_id: int) -> None:
    async def decide() -> Posting:
        async with database.reading() as session:
            hold = await find_reservation(session, reservation_id)
        if hold is None:
            raise NotFound()
        if hold.status != "expired" or hold.ended_at is not None:
            raise WrongState(hold.status)
        return expire(hold)

    with suppress(Problem):
        await ledger.submit(None, decide)
