"""A standby that a test controls, and who served the reads of this process."""

import asyncio
from typing import Any

import asyncpg
from prometheus_client import REGISTRY

from stockbuddy.chassis.testing.clients import User
from stockbuddy.local_servers.postgres import LocalPostgres

DEADLINE_SECONDS = 60


class Standby:
    """The standby's replay, as an operator controls it."""

    def __init__(self, primary: LocalPostgres, server: LocalPostgres) -> None:
        self.primary = primary
        self.server = server

    async def execute(self, statement: str) -> Any:
        return await fetch_value(self.server.url, statement)

    async def catch_up(self) -> None:
        """Wait until it has replayed what the primary has written so far."""
        written = await fetch_value(self.primary.url, "SELECT pg_current_wal_flush_lsn()::text")
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not await self.execute(f"SELECT pg_last_wal_replay_lsn() >= '{written}'"):
                await asyncio.sleep(0.01)

    async def pause(self) -> None:
        await self.execute("SELECT pg_wal_replay_pause()")
        async with asyncio.timeout(DEADLINE_SECONDS):
            while await self.execute("SELECT pg_get_wal_replay_pause_state()") != "paused":
                await asyncio.sleep(0.01)


async def fetch_value(url: str, statement: str) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def reads(service: str, outcome: str = "replica") -> float:
    """How many reads of the service had this outcome."""
    labels = {"company": "", "service": service, "outcome": outcome}
    return REGISTRY.get_sample_value("stockbuddy_read_replica_reads_total", labels) or 0.0


async def until_replica_serves(user: User, service: str) -> None:
    path = {"catalog": "/products", "stock": "/warehouses", "notifications": "/notifications"}[service]
    before = reads(service)
    await user.until(path, lambda _: reads(service) > before)


async def until_primary_serves(user: User) -> None:
    """Wait until the catalog considers the replica unavailable."""
    before = reads("catalog", "unavailable")
    await user.until("/products", lambda _: reads("catalog", "unavailable") > before)
