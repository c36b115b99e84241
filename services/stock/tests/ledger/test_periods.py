"""Periods of movements: nothing that clients read changes when one ends, and old movements can still be reversed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from stockbuddy.stock.insights.history.closing_balances import advance_closing_balances

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop

START = datetime(2026, 1, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
DAYS = 12
END = {"as_of": (START + 20 * DAY).isoformat()}
PAST = {"as_of": (START + 6 * DAY).isoformat()}
RANGE = {"from": START.date().isoformat(), "to": (START + 30 * DAY).date().isoformat()}
READS: list[tuple[str, dict[str, Any]]] = [
    ("/stock-movements", {"page_size": 100}),
    ("/stock-movements", {"page_size": 3, "page": 2}),
    ("/stock-levels", PAST),
    ("/stock-levels", END),
    ("/reports/inventory-valuation", {}),
    ("/reports/inventory-valuation", PAST),
    ("/reports/inventory-valuation", PAST | {"method": "fifo"}),
    ("/reports/inventory-valuation", END | {"method": "fifo"}),
    ("/reports/stock-aging", END),
    ("/reports/movements", RANGE),
    ("/reports/movements", RANGE | {"group_by": "product"}),
    ("/reports/profit", RANGE),
    ("/reports/turnover", RANGE),
    ("/reports/sales", RANGE),
    ("/stock/integrity", {}),
]


async def post_history(shop: Shop) -> tuple[int, list[int]]:
    """A product with purchases at several costs, sales, adjustments and a reversal. Returns it with its movements."""
    product_id, ids = await shop.product(), []
    for number in range(DAYS):
        moment = (START + number * DAY).isoformat()
        body = {"product_id": product_id, "occurred_at": moment}
        bought = body | {"movement_type": "purchase", "quantity": 10, "unit_cost": f"{number + 1}"}
        ids.append((await shop.admin.post("/stock-movements", bought))["id"])
        await shop.admin.post("/sales", {"lines": [{"product_id": product_id, "quantity": 4}], "occurred_at": moment})
    taken = {"product_id": product_id, "movement_type": "damaged", "quantity": 2}
    wrong = await shop.admin.post("/stock-movements", taken)
    await shop.admin.post(f"/stock-movements/{wrong['id']}/reverse")
    return product_id, ids


async def end_period(database: asyncpg.Connection, moved: int) -> None:
    await database.execute(f"SELECT start_period('movement', 'ORDER BY id DESC LIMIT {moved}')")


async def read_all(shop: Shop) -> list[Any]:
    bodies = [await shop.admin.get(path, **query) for path, query in READS]
    for body in bodies:
        body.pop("generated_at", None) if isinstance(body, dict) else None
    return bodies


async def test_reads_and_reports_are_the_same_after_a_period_has_ended(
    shop: Shop, database: asyncpg.Connection
) -> None:
    await post_history(shop)
    before = await read_all(shop)
    await end_period(database, moved=5)
    assert await database.fetchval("SELECT count(*) FROM ONLY movement") == 5
    assert await read_all(shop) == before
    async with shop.app.state.resources.database.transaction() as session:
        await advance_closing_balances(session, 1000, 1000)
    assert await read_all(shop) == before
    assert before[-1] == {"ok": True, "differences": [], "value_differences": []}


async def test_movement_of_a_former_period_is_reversed_once(shop: Shop, database: asyncpg.Connection) -> None:
    product_id, (first, *_) = await post_history(shop)
    quantity = await shop.on_hand(product_id)
    await end_period(database, moved=0)
    await shop.admin.post(f"/stock-movements/{first}/reverse")
    problem = await shop.admin.expect_problem(409, f"/stock-movements/{first}/reverse")
    assert problem["code"] == "already_reversed"
    assert await shop.on_hand(product_id) == quantity - 10
    await shop.require_integrity()


async def test_movement_reversed_in_a_former_period_is_not_reversed_again(
    shop: Shop, database: asyncpg.Connection
) -> None:
    _, (*_, last) = await post_history(shop)
    await shop.admin.post(f"/stock-movements/{last}/reverse")
    await end_period(database, moved=0)
    problem = await shop.admin.expect_problem(409, f"/stock-movements/{last}/reverse")
    assert problem["code"] == "already_reversed"


async def test_postings_while_a_period_ends_are_all_recorded(shop: Shop, database: asyncpg.Connection) -> None:
    product_id = await shop.product(1000)
    body = {"product_id": product_id, "movement_type": "out", "quantity": 1}
    async with asyncio.TaskGroup() as group:
        for number in range(60):
            group.create_task(shop.admin.post("/stock-movements", body, key=f"k-{number}"))
        group.create_task(end_period(database, moved=10))
        for number in range(60):
            group.create_task(shop.admin.post("/stock-movements", body, key=f"k-{number}"))
    assert await shop.on_hand(product_id) == 940
    assert await database.fetchval("SELECT count(*) FROM movement WHERE quantity = -1") == 60
    await shop.require_integrity()


async def test_movements_of_former_periods_stay_unchanged(shop: Shop, database: asyncpg.Connection) -> None:
    await post_history(shop)
    await end_period(database, moved=3)
    tables = await database.fetch(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'movement'::regclass"
    )
    assert len(tables) == 1
    for table in ("movement", tables[0][0]):
        for statement in (f"UPDATE {table} SET notes = 'x'", f"DELETE FROM {table}", f"TRUNCATE {table}"):
            with pytest.raises(asyncpg.RestrictViolationError):
                await database.execute(statement)
