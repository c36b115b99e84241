"""Expiry of reservations: released lazily when a posting lacks stock, and by a periodic sweep."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import asyncpg

from stockbuddy.chassis.http.errors import NotFound, Problem
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.stock.documents.reservations.lifecycle import expire
from stockbuddy.stock.documents.reservations.queries import find_overdue, find_overdue_on, find_reservation
from stockbuddy.stock.errors import InvalidState
from stockbuddy.stock.ledger import Ledger, LevelKey, Posting

SWEEP_INTERVAL_SECONDS = 1.0
SWEEP_BATCH_SIZE = 100


async def reclaim_expired(connection: asyncpg.Connection, levels: Sequence[LevelKey]) -> list[Posting]:
    """Postings that release the stock of expired reservations on `levels`."""
    return [expire(reservation) for reservation in await find_overdue_on(connection, levels)]


class ReservationSweep:
    """Releases the stock of expired reservations. Replicas may sweep the same ones: the version check of the posting
    lets one of them succeed."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self._database = database
        self._ledger = ledger

    def worker(self) -> PollingWorker:
        return PollingWorker("reservations.expiry", self._sweep, interval_seconds=SWEEP_INTERVAL_SECONDS)

    async def _sweep(self) -> bool:
        async with self._database.reading() as session:
            overdue = await find_overdue(session, SWEEP_BATCH_SIZE)
        await asyncio.gather(*(self._expire(reservation_id) for reservation_id in overdue))
        return len(overdue) == SWEEP_BATCH_SIZE

    async def _expire(self, reservation_id: int) -> None:
        async def plan() -> Posting:
            async with self._database.reading() as session:
                reservation = await find_reservation(session, reservation_id)
            if reservation is None:
                raise NotFound()
            if reservation.status != "expired" or reservation.ended_at is not None:
                raise InvalidState("reservation", reservation.status, ["expired"])
            return expire(reservation)

        # Another replica was faster, or the reservation has been extended.
        with suppress(Problem):
            await self._ledger.submit(None, plan)
