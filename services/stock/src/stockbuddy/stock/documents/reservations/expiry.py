"""Expiry of reservations: released lazily when a posting lacks stock, and by a periodic sweep."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import asyncpg

from stockbuddy.chassis.http.errors import Problem
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.stock.documents.reservations.lifecycle import expiry_posting
from stockbuddy.stock.documents.reservations.queries import find_expired_ids, find_expired_on, get_reservation
from stockbuddy.stock.errors import InvalidState
from stockbuddy.stock.ledger import Ledger, LevelKey, Posting

SWEEP_INTERVAL_SECONDS = 1.0
SWEEP_BATCH_SIZE = 100


async def reclaim_expired(connection: asyncpg.Connection, levels: Sequence[LevelKey]) -> list[Posting]:
    """Postings that release stock of `levels` still reserved by expired reservations."""
    return [expiry_posting(reservation) for reservation in await find_expired_on(connection, levels)]


class ReservationSweep:
    """Releases the stock of expired reservations. Replicas may sweep the same ones: the version check of the posting
    lets one of them succeed."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self._database = database
        self._ledger = ledger

    def worker(self) -> PollingWorker:
        return PollingWorker("reservations.expiry", self._sweep, interval_seconds=SWEEP_INTERVAL_SECONDS)

    async def _sweep(self) -> bool:
        async with self._database.raw() as connection:
            reservation_ids = await find_expired_ids(connection, SWEEP_BATCH_SIZE)
        await asyncio.gather(*map(self._expire, reservation_ids))
        return len(reservation_ids) == SWEEP_BATCH_SIZE

    async def _expire(self, reservation_id: int) -> None:
        async def plan() -> Posting:
            async with self._database.reading() as session:
                reservation = await get_reservation(session, reservation_id)
            if reservation.status != "expired" or reservation.ended_at is not None:
                raise InvalidState("reservation", reservation.status, ["expired"])
            return expiry_posting(reservation)

        # A problem means that another replica was faster, or that the reservation has been extended.
        with suppress(Problem):
            await self._ledger.submit(None, plan)
