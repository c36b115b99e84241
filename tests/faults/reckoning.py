"""What became of a load: every act that was acknowledged is there, once, in the ledger, in the read copies and in the
event log. Read from the tables themselves, for the API might repeat what it once promised."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg

from stockbuddy.embedded.client import Client
from tests.faults.load import OPENING, PRODUCTS, Load

SETTLE_SECONDS = 300
SERVICES = ("auth", "catalog", "stock", "notifications")
_ARCHIVED = " UNION ALL ".join(f"SELECT event_id FROM {service}.outbox_archive" for service in SERVICES)
_LOGGED = "SELECT event_id FROM notifications.event_log"
_LEVELS = "SELECT product_id, warehouse_id, lot, on_hand, reserved FROM"

UNSETTLED = {
    **{f"events unsent by {service}": f"SELECT count(*) FROM {service}.outbox" for service in SERVICES},
    **{
        f"messages set aside in {service}": f"SELECT count(*) FROM {service}.inbox WHERE status IN ('retry', 'parked')"
        for service in SERVICES
    },
    "events missing in the log": f"SELECT count(*) FROM (({_ARCHIVED}) EXCEPT {_LOGGED}) e",
    "levels that differ in the catalogue": f"""
        SELECT count(*) FROM (
            ({_LEVELS} stock.level WHERE version > 0 EXCEPT {_LEVELS} catalog.stock_level)
            UNION ALL ({_LEVELS} catalog.stock_level EXCEPT {_LEVELS} stock.level)) d""",
}
"""What must come to nothing, by itself."""

NEVER = {
    "events archived twice": f"SELECT count(*) - count(DISTINCT event_id) FROM ({_ARCHIVED}) e",
    "events in the log that nobody sent": f"SELECT count(*) FROM ({_LOGGED} EXCEPT ({_ARCHIVED})) e",
    "levels that are not the sum of their movements": """
        SELECT count(*) FROM stock.level l WHERE l.on_hand <> (
            SELECT coalesce(sum(m.quantity), 0) FROM stock.movement m
            WHERE (m.product_id, m.warehouse_id, m.lot) = (l.product_id, l.warehouse_id, l.lot))""",
}
DEAD = " + ".join(f"(SELECT count(*) FROM {service}.inbox WHERE status = 'dead')" for service in SERVICES)

_APPLIED = """
    SELECT reference, count(*) AS times FROM (
        SELECT reference FROM stock.sale
        UNION ALL SELECT reference_number FROM stock.movement WHERE movement_type = 'purchase'
        UNION ALL SELECT sku FROM catalog.product) acts
    WHERE starts_with(reference, $1) GROUP BY reference
"""
_UNITS = """
    SELECT coalesce(sum(l.on_hand), 0) FROM stock.level l JOIN catalog.product p ON p.id = l.product_id
    WHERE starts_with(p.sku, $1)
"""


@dataclass(frozen=True)
class Reckoning:
    fault: str
    attempted: int
    acknowledged: int
    applied: int
    lost: int
    duplicated: int
    unit_error: int
    """Units in the ledger beyond those that the acknowledged acts make."""

    def __str__(self) -> str:
        counts = (self.attempted, self.acknowledged, self.applied, self.lost, self.duplicated)
        names = ("attempted", "acknowledged", "applied", "lost", "duplicated")
        return f"{self.fault}: " + ", ".join(f"{name} {count}" for name, count in zip(names, counts, strict=True))


class Books:
    """The system's tables, and its own word on its integrity."""

    def __init__(self, database_url: str, client: Client | None = None) -> None:
        self._database_url = database_url
        self._client = client
        self._dead = 0

    async def value(self, statement: str, *arguments: Any) -> Any:
        connection = await asyncpg.connect(self._database_url)
        try:
            return await connection.fetchval(statement, *arguments)
        finally:
            await connection.close()

    @contextlib.asynccontextmanager
    async def holding(self, lock: str) -> AsyncIterator[None]:
        """Keep what the statement locks for as long as the block lasts."""
        connection = await asyncpg.connect(self._database_url)
        try:
            async with connection.transaction():
                await connection.execute(lock)
                yield
        finally:
            await connection.close()

    async def until(self, statement: str, wanted: Any, *arguments: Any) -> None:
        found = None
        try:
            async with asyncio.timeout(SETTLE_SECONDS):
                while (found := await self.value(statement, *arguments)) != wanted:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{statement} is {found!r}, not {wanted!r}, after {SETTLE_SECONDS} s") from None

    async def settle(self) -> None:
        for _ in range(2):  # the events of the services' own reactions, too
            for statement in UNSETTLED.values():
                await self.until(statement, 0)

    async def reckon(self, fault: str, load: Load, *, dead: int = 0) -> Reckoning:
        """Wait until everything has arrived, count, print, and insist. `dead` messages may be set aside for good."""
        await self.settle()
        for what, statement in NEVER.items():
            assert await self.value(statement) == 0, what
        self._dead += dead
        assert await self.value(f"SELECT {DEAD}") == self._dead
        assert self._client is not None
        assert (await self._client.get("/stock/integrity")).body == {"ok": True, "differences": []}
        reckoning = await self._count(fault, load)
        print(f"\n{reckoning}")
        assert not load.tally.refused
        assert (reckoning.lost, reckoning.duplicated, reckoning.unit_error) == (0, 0, 0)
        assert reckoning.acknowledged == reckoning.applied == reckoning.attempted > 0
        return reckoning

    async def _count(self, fault: str, load: Load) -> Reckoning:
        connection = await asyncpg.connect(self._database_url)
        try:
            applied = {r["reference"]: r["times"] for r in await connection.fetch(_APPLIED, f"{load.name}:")}
            units = await connection.fetchval(_UNITS, load.name)
        finally:
            await connection.close()
        acknowledged = load.tally.acknowledged
        return Reckoning(
            fault,
            attempted=load.tally.attempted,
            acknowledged=len(acknowledged),
            applied=len(applied),
            lost=len(acknowledged.keys() - applied.keys()),
            duplicated=sum(times - 1 for times in applied.values()),
            unit_error=int(units) - PRODUCTS * OPENING - sum(acknowledged.values()),
        )
