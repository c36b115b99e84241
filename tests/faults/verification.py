"""Verifies the effects of a load: every accepted request has exactly one effect in the ledger, in data replicas and in
the event log. Reads the tables, because the API could return stored responses."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import asyncpg

from stockbuddy.embedded.api_client import ApiClient
from tests.faults.load import OPENING_QUANTITY, PRODUCTS, Load

SETTLE_TIMEOUT_SECONDS = 300
SERVICES = ("auth", "catalog", "stock", "notifications")
_ARCHIVED = " UNION ALL ".join(
    f"SELECT event_id FROM {service}.outbox_event WHERE sent_at IS NOT NULL" for service in SERVICES
)
_LOGGED = "SELECT event_id FROM notifications.event_log"
_LEVELS = "SELECT product_id, warehouse_id, lot, on_hand, reserved FROM"

UNSETTLED_COUNTS = {
    **{
        f"unpublished events of {service}": f"SELECT count(*) FROM {service}.outbox_chunk WHERE sent_at IS NULL"
        for service in SERVICES
    },
    **{
        f"deferred messages of {service}": f"SELECT count(*) FROM {service}.inbox WHERE status IN ('retry', 'parked')"
        for service in SERVICES
    },
    "events missing in the log": f"SELECT count(*) FROM (({_ARCHIVED}) EXCEPT {_LOGGED}) e",
    "levels that differ between stock and catalog": f"""
        SELECT count(*) FROM (
            ({_LEVELS} stock.level WHERE version > 0 EXCEPT {_LEVELS} catalog.stock_level)
            UNION ALL ({_LEVELS} catalog.stock_level EXCEPT {_LEVELS} stock.level)) d""",
}
"""Counts that must become zero without intervention."""

INVARIANTS = {
    "events archived twice": f"SELECT count(*) - count(DISTINCT event_id) FROM ({_ARCHIVED}) e",
    "events in the log that were not published": f"SELECT count(*) FROM ({_LOGGED} EXCEPT ({_ARCHIVED})) e",
    "levels that differ from the sum of their movements": """
        SELECT count(*) FROM stock.level l WHERE l.on_hand <> (
            SELECT coalesce(sum(m.quantity), 0) FROM stock.movement m
            WHERE (m.product_id, m.warehouse_id, m.lot) = (l.product_id, l.warehouse_id, l.lot))""",
}
DEAD = " + ".join(f"(SELECT count(*) FROM {service}.inbox WHERE status = 'dead')" for service in SERVICES)

_APPLIED = """
    SELECT reference, count(*) AS times FROM (
        SELECT reference FROM stock.sale
        UNION ALL SELECT reference_number FROM stock.movement WHERE movement_type = 'purchase'
        UNION ALL SELECT sku FROM catalog.product) effects
    WHERE starts_with(reference, $1) GROUP BY reference
"""
_UNITS = """
    SELECT coalesce(sum(l.on_hand), 0) FROM stock.level l JOIN catalog.product p ON p.id = l.product_id
    WHERE starts_with(p.sku, $1)
"""


@dataclass(frozen=True)
class VerifiedLoad:
    """Counts of requests and effects."""

    fault: str
    attempted: int
    acknowledged: int
    applied: int
    lost: int
    duplicated: int
    unit_error: int
    """Units in the ledger minus those of the accepted requests."""

    def __str__(self) -> str:
        counts = (self.attempted, self.acknowledged, self.applied, self.lost, self.duplicated)
        names = ("attempted", "acknowledged", "applied", "lost", "duplicated")
        return f"{self.fault}: " + ", ".join(f"{name} {count}" for name, count in zip(names, counts, strict=True))


class Verifier:
    """Reads the system's tables and its integrity report."""

    def __init__(self, database_url: str, client: ApiClient | None = None) -> None:
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
    async def locked(self, statement: str) -> AsyncIterator[None]:
        """Execute the locking statement; the lock is released when the block ends."""
        connection = await asyncpg.connect(self._database_url)
        try:
            async with connection.transaction():
                await connection.execute(statement)
                yield
        finally:
            await connection.close()

    async def execute(self, statements: str) -> None:
        connection = await asyncpg.connect(self._database_url)
        try:
            await connection.execute(statements)
        finally:
            await connection.close()

    async def wait_until(self, statement: str, expected: Any, *arguments: Any) -> None:
        value = None
        try:
            async with asyncio.timeout(SETTLE_TIMEOUT_SECONDS):
                while (value := await self.value(statement, *arguments)) != expected:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(
                f"{statement} is {value!r}, not {expected!r}, after {SETTLE_TIMEOUT_SECONDS} s"
            ) from None

    async def settle(self) -> None:
        for _ in range(2):  # the handlers' own events, too
            for statement in UNSETTLED_COUNTS.values():
                await self.wait_until(statement, 0)

    async def verify(self, fault: str, load: Load, *, dead: int = 0) -> VerifiedLoad:
        """Wait until everything is processed, then assert that nothing was lost or duplicated. `dead`: expected
        dead letters."""
        await self._verify_invariants()
        self._dead += dead
        assert await self.value(f"SELECT {DEAD}") == self._dead
        verified = await self._count(fault, load)
        print(f"\n{verified}")
        assert not load.log.rejected
        assert (verified.lost, verified.duplicated, verified.unit_error) == (0, 0, 0)
        assert verified.acknowledged == verified.applied == verified.attempted > 0
        return verified

    async def verify_restored(self, fault: str, load: Load, before: AbstractSet[str]) -> VerifiedLoad:
        """Assert that a restored system has each request of `before`, accepted before the backup began, exactly once,
        and of the later ones, all accepted meanwhile, whole requests."""
        await self._verify_invariants()
        applied, units = await self._applied(load)
        unknown = applied.keys() - load.log.acknowledged.keys()
        verified = VerifiedLoad(
            fault,
            attempted=load.log.attempted,
            acknowledged=len(before),
            applied=len(applied),
            lost=len(before - applied.keys()),
            duplicated=sum(times - 1 for times in applied.values()),
            unit_error=units - sum(load.log.acknowledged[reference] for reference in applied.keys() - unknown),
        )
        print(f"\n{verified}")
        assert not unknown
        assert (verified.lost, verified.duplicated, verified.unit_error) == (0, 0, 0)
        return verified

    async def _verify_invariants(self) -> None:
        await self.settle()
        for invariant, statement in INVARIANTS.items():
            assert await self.value(statement) == 0, invariant
        assert self._client is not None
        assert (await self._client.get("/stock/integrity")).body == {
            "ok": True,
            "differences": [],
            "value_differences": [],
        }

    async def _applied(self, load: Load) -> tuple[dict[str, int], int]:
        """How often each reference was applied, and the units beyond the opening quantities."""
        connection = await asyncpg.connect(self._database_url)
        try:
            applied = {r["reference"]: r["times"] for r in await connection.fetch(_APPLIED, f"{load.name}:")}
            units = await connection.fetchval(_UNITS, load.name)
        finally:
            await connection.close()
        return applied, int(units) - PRODUCTS * OPENING_QUANTITY

    async def _count(self, fault: str, load: Load) -> VerifiedLoad:
        applied, units = await self._applied(load)
        acknowledged = load.log.acknowledged
        return VerifiedLoad(
            fault,
            attempted=load.log.attempted,
            acknowledged=len(acknowledged),
            applied=len(applied),
            lost=len(acknowledged.keys() - applied.keys()),
            duplicated=sum(times - 1 for times in applied.values()),
            unit_error=units - sum(acknowledged.values()),
        )
