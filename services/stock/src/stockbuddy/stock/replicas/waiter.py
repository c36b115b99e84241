"""Waits for a product or supplier whose event is still on its way, until its replica is committed."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from stockbuddy.chassis.postgres.database import Database

REPLICA_UPDATED = "replica.updated"
"""The commit signal of transactions that update a replica. One for all replicas: a needless wake-up costs a query."""
REPLICATION_TIMEOUT_SECONDS = 2.0
POLL_INTERVAL_SECONDS = 0.05
"""Another process of this service may be the one that consumes the event; its commit sends no signal here."""

T = TypeVar("T")


class ReplicaWaiter:
    def __init__(self, database: Database) -> None:
        self._updated = asyncio.Event()
        database.on_commit(REPLICA_UPDATED, self._wake_all)

    async def fetch_until(self, is_complete: Callable[[T], bool], fetch: Callable[[], Awaitable[T]]) -> T:
        """Repeat `fetch` until its result is complete, at most REPLICATION_TIMEOUT_SECONDS; return the last result."""
        deadline = time.monotonic() + REPLICATION_TIMEOUT_SECONDS
        while True:
            result = await fetch()
            remaining = deadline - time.monotonic()
            if is_complete(result) or remaining <= 0:
                return result
            await self._wait(min(POLL_INTERVAL_SECONDS, remaining))

    def _wake_all(self) -> None:
        self._updated.set()
        self._updated = asyncio.Event()

    async def _wait(self, timeout_seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await self._updated.wait()
