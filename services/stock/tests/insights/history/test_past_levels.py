"""GET /stock-levels?as_of=…: levels at a past moment by `occurred_at`, also with movements posted late."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from stockbuddy.stock.insights.history.closing_balances import advance_closing_balances

if TYPE_CHECKING:
    import asyncpg

    from services.stock.tests.conftest import Shop

START = datetime(2026, 1, 10, 12, tzinfo=UTC)


async def advance(shop: Shop, levels: int = 1000, changes: int = 1000) -> bool:
    """One round of the background worker. Returns whether more remains."""
    async with shop.app.state.resources.database.transaction() as session:
        return await advance_closing_balances(session, levels, changes)


async def move(shop: Shop, product_id: int, quantity: float, occurred_at: datetime, **values: Any) -> Any:
    body = {
        "product_id": product_id,
        "movement_type": "adjustment",
        "quantity": quantity,
        "occurred_at": occurred_at.isoformat(),
    }
    return await shop.admin.post("/stock-movements", body | values)


async def at(shop: Shop, moment: datetime, **chosen: Any) -> dict[int, float]:
    found = await shop.admin.get("/stock-levels", as_of=moment.isoformat(), page_size=100, **chosen)
    return {level["product_id"]: level["on_hand"] for level in found["items"]}


async def test_past_levels_with_or_without_closing_balances_are_equal(shop: Shop) -> None:
    tea, cup = await shop.product(), await shop.product()
    day = timedelta(days=1)
    await move(shop, tea, 10, START)
    await move(shop, tea, -3, START + day)
    await move(shop, cup, 5, START + 2 * day)
    for _ in range(2):
        assert await at(shop, START - timedelta(microseconds=1)) == {}
        assert await at(shop, START) == {tea: 10}
        assert await at(shop, START + day - timedelta(seconds=1)) == {tea: 10}
        assert await at(shop, START + day) == {tea: 7}
        assert await at(shop, START + 5 * day) == {tea: 7, cup: 5}
        assert await at(shop, START + 5 * day, product_id=cup) == {cup: 5}
        assert not await advance(shop)


async def test_closing_balances_after_late_movement_are_corrected(shop: Shop) -> None:
    tea = await shop.product()
    day = timedelta(days=1)
    await move(shop, tea, 10, START)
    await move(shop, tea, -2, START + 3 * day)
    await advance(shop)
    await move(shop, tea, 5, START + day)
    for _ in range(2):
        assert [(await at(shop, START + n * day))[tea] for n in range(5)] == [10, 15, 15, 13, 13]
        await advance(shop)
    await move(shop, tea, 1, START - day)
    await advance(shop)
    assert [(await at(shop, START + n * day))[tea] for n in range(-1, 5)] == [1, 11, 16, 16, 14, 14]


async def test_past_level_has_average_cost_of_that_time(shop: Shop) -> None:
    tea = await shop.product()
    day = timedelta(days=1)
    purchase = {"movement_type": "purchase"}
    await move(shop, tea, 10, START, unit_cost="2", **purchase)
    await move(shop, tea, 10, START + day, unit_cost="4", **purchase)
    for _ in range(2):
        costs = [
            (await shop.admin.get("/stock-levels", as_of=(START + n * day).isoformat()))["items"][0]["average_cost"]
            for n in (0, 1, 2)
        ]
        assert costs == ["2.00", "3.00", "3.00"]
        await advance(shop)


async def test_average_cost_after_late_receipt_changes_from_its_day_on(shop: Shop) -> None:
    """Levels and reports agree at every past moment; the last one equals the current state."""
    tea = await shop.product()
    day = timedelta(days=1)
    await move(shop, tea, 10, START, unit_cost="2", movement_type="purchase")
    await move(shop, tea, -5, START + 3 * day)
    await advance(shop)
    await move(shop, tea, 5, START + day, unit_cost="4", movement_type="purchase")
    for _ in range(2):
        for days, cost in ((0, "2.00"), (1, "2.6667"), (2, "2.6667"), (3, "3.00"), (9, "3.00")):
            moment = (START + days * day).isoformat()
            [level] = (await shop.admin.get("/stock-levels", as_of=moment))["items"]
            [row] = (await shop.admin.get("/reports/inventory-valuation", as_of=moment))["rows"]
            assert (level["average_cost"], row["unit_cost"]) == (cost, cost), days
            assert row["quantity"] == level["on_hand"]
        assert not await advance(shop)


async def test_past_levels_of_random_history_equal_plain_sums(shop: Shop) -> None:
    """The worker runs now and then, for a few levels or changes at a time."""
    chance = random.Random(11)
    outlet = await shop.warehouse("OUTLET", negative_stock="allow")
    products = [await shop.product() for _ in range(3)]
    posted_movements: list[tuple[int, Decimal, datetime, Decimal]] = []
    for n in range(120):
        product = chance.choice(products)
        quantity = Decimal(chance.choice([-5, -2.5, 1, 3.125, 7])).quantize(Decimal("0.001"))
        moment = START + timedelta(hours=chance.randrange(24 * 6))
        posted = await move(shop, product, float(quantity), moment, warehouse_id=outlet, unit_cost=n + 1)
        posted_movements.append((product, quantity, moment, Decimal(posted["value"])))
        if n % 17 == 0:
            await advance(shop, levels=2)
        if n % 11 == 0:
            await advance(shop, changes=3)
    for hours in range(0, 24 * 6 + 12, 7):
        moment = START + timedelta(hours=hours)
        expected: dict[int, Decimal] = {}
        values: dict[int, Decimal] = {}
        for product, quantity, happened, value in posted_movements:
            if happened <= moment:
                expected[product] = expected.get(product, Decimal(0)) + quantity
                values[product] = values.get(product, Decimal(0)) + value
        assert await at(shop, moment) == {product: float(total) for product, total in expected.items()}
        levels = (await shop.admin.get("/stock-levels", as_of=moment.isoformat()))["items"]
        assert {level["product_id"]: Decimal(level["value"]) for level in levels} == values
        worth = await shop.admin.get("/reports/inventory-valuation", as_of=moment.isoformat())
        held = {product: float(total) for product, total in expected.items() if total or values[product]}
        assert {row["product_id"]: row["quantity"] for row in worth["rows"]} == held


async def test_closing_balances_of_long_history_advance_in_steps(shop: Shop, database: asyncpg.Connection) -> None:
    """Also if all movements are of one level."""
    tea, cup = await shop.product(), await shop.product()
    for day in range(6):
        await move(shop, tea, 2, START + timedelta(days=day))
    await move(shop, cup, 1, START)
    closed = []
    while await advance(shop, changes=2):
        closed.append(await database.fetchval("SELECT sum(version) FROM closing_stock_progress"))
        assert [(await at(shop, START + timedelta(days=day)))[tea] for day in range(6)] == [2, 4, 6, 8, 10, 12]
    assert closed == [2, 4, 6]
    assert await database.fetchval("SELECT sum(version) FROM closing_stock_progress") == 7
    balances = await database.fetch("SELECT on_hand FROM closing_stock WHERE product_id = $1 ORDER BY day", tea)
    assert [balance["on_hand"] for balance in balances] == [2, 4, 6, 8, 10, 12]


async def test_past_level_has_no_reserved_quantity(shop: Shop) -> None:
    tea = await shop.product(10)
    await shop.admin.post("/reservations", {"lines": [{"product_id": tea, "quantity": 4}]})
    [level] = (await shop.admin.get("/stock-levels", as_of=datetime.now(UTC).isoformat()))["items"]
    assert (level["on_hand"], level["reserved"], level["available"], level["incoming"]) == (10, None, None, None)
    await shop.admin.expect_problem(422, "/stock-levels?as_of=yesterday", method="GET")
