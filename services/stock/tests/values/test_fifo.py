"""FIFO cost layers: they move with transfers and come back with returns, at their cost and date."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from services.stock.tests.values.test_conservation import move, receive, valuation

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop


async def fifo(shop: Shop, product: int, **parameters: Any) -> dict[str | None, str]:
    return await valuation(shop, product, method="fifo", **parameters)


async def transfer(shop: Shop, product: int, quantity: float, to_code: str) -> str:
    body = {"product_id": product, "quantity": quantity, "from_warehouse_code": "MAIN", "to_warehouse_code": to_code}
    return f"/stock-transfers/{(await shop.admin.post('/stock-transfers', body))['id']}"


async def test_returned_units_keep_the_cost_at_which_they_left(shared_shop: Shop) -> None:
    shop, tea = shared_shop, await shared_shop.product()
    await receive(shop, tea, (10, "1"), (10, "2"))
    sale = await shop.admin.post("/sales", {"product": tea, "quantity": 10})
    assert await fifo(shop, tea) == {"MAIN": "20.00"}
    await shop.admin.post(f"/sales/{sale['id']}/returns", {})
    assert await fifo(shop, tea) == {"MAIN": "30.00"}


async def test_return_after_further_sales_brings_back_its_own_units(shared_shop: Shop) -> None:
    """A sold 10@1, B 5@2; A comes back in two parts."""
    shop, tea = shared_shop, await shared_shop.product()
    await receive(shop, tea, (10, "1"), (10, "2"))
    first = await shop.admin.post("/sales", {"product": tea, "quantity": 10})
    await shop.admin.post("/sales", {"product": tea, "quantity": 5})
    for quantity, value in ((4, "14.00"), (6, "20.00")):
        lines = [{"product_id": tea, "quantity": quantity}]
        await shop.admin.post(f"/sales/{first['id']}/returns", {"lines": lines})
        assert await fifo(shop, tea) == {"MAIN": value}
    # The returned units are the oldest again.
    await move(shop, tea, "out", 10)
    assert await fifo(shop, tea) == {"MAIN": "10.00"}


async def test_void_brings_back_the_layers_of_the_sale(shared_shop: Shop) -> None:
    shop, tea = shared_shop, await shared_shop.product()
    await receive(shop, tea, (10, "1"), (10, "2"))
    sale = await shop.admin.post("/sales", {"product": tea, "quantity": 15})
    await shop.admin.post("/sales", {"product": tea, "quantity": 2})
    await shop.admin.post(f"/sales/{sale['id']}/void")
    assert await fifo(shop, tea) == {"MAIN": "26.00"}


async def test_layers_move_with_transfers(shared_shop: Shop) -> None:
    shop, tea = shared_shop, await shared_shop.product()
    await shop.warehouse("LAYERS")
    await receive(shop, tea, (10, "1"), (10, "2"))
    path = await transfer(shop, tea, 10, "LAYERS")
    await shop.admin.post(f"{path}/complete")
    assert await fifo(shop, tea) == {"LAYERS": "10.00", "MAIN": "20.00"}
    path = await transfer(shop, tea, 4, "LAYERS")
    await shop.admin.post(f"{path}/ship")
    assert await fifo(shop, tea) == {"LAYERS": "10.00", "MAIN": "12.00", None: "8.00"}
    # The damaged unit is one of those that arrived, although the destination has older ones.
    await shop.admin.post(f"{path}/receive", {"lines": [{"product_id": tea, "received": 1, "damaged": 1}]})
    assert await fifo(shop, tea) == {"LAYERS": "12.00", "MAIN": "12.00", None: "4.00"}
    await shop.admin.post(f"{path}/cancel", {"disposition": "return"})
    assert await fifo(shop, tea) == {"LAYERS": "12.00", "MAIN": "16.00"}
    assert (await shop.admin.get("/reports/inventory-valuation", method="fifo", warehouse_id=1))["rows"]


async def test_ageing_is_dated_at_the_receipt(shared_shop: Shop) -> None:
    """Goods received in May are transferred, or sold and returned, in November."""
    shop, tea, cup = shared_shop, await shared_shop.product(), await shared_shop.product()
    await shop.warehouse("AGEING")
    for product in (tea, cup):
        await receive(shop, product, (10, "1"), occurred_at="2026-05-10T12:00:00Z")
    await shop.admin.post(f"{await transfer(shop, tea, 10, 'AGEING')}/complete")
    sale = await shop.admin.post("/sales", {"product": cup, "quantity": 10})
    await shop.admin.post(f"/sales/{sale['id']}/returns", {})
    age = (datetime.now(UTC) - datetime(2026, 5, 10, 12, tzinfo=UTC)).days
    rows = (await shop.admin.get("/reports/stock-aging"))["rows"]
    ages = [(row["warehouse"], row["oldest_days"]) for row in rows if row["product_id"] in (tea, cup)]
    assert ages == [("AGEING", age), ("MAIN", age)]


async def test_stock_below_zero_is_covered_by_the_next_receipt(shared_shop: Shop) -> None:
    shop, tea = shared_shop, await shared_shop.product()
    w = await shop.warehouse("BELOW", negative_stock="allow")
    await receive(shop, tea, (1, "1"), warehouse_id=w)
    sale = await shop.admin.post("/sales", {"product": tea, "quantity": 5, "warehouse_id": w})
    assert await fifo(shop, tea) == {"BELOW": "-4.00"}
    await receive(shop, tea, (6, "3"), warehouse_id=w)
    assert await fifo(shop, tea) == {"BELOW": "6.00"}
    await shop.admin.post(f"/sales/{sale['id']}/returns", {})
    quantities = (await shop.admin.get("/reports/inventory-valuation", method="fifo", warehouse_id=w))["totals"]
    assert quantities["quantity"] == 7


async def test_past_layers_are_those_of_the_time(shared_shop: Shop) -> None:
    shop, tea = shared_shop, await shared_shop.product()
    await receive(shop, tea, (10, "1"), occurred_at="2026-01-01T12:00:00Z")
    await receive(shop, tea, (10, "2"), occurred_at="2026-01-02T12:00:00Z")
    sold = {"product": tea, "quantity": 10, "occurred_at": "2026-01-03T12:00:00Z"}
    sale = await shop.admin.post("/sales", sold)
    await shop.admin.post(f"/sales/{sale['id']}/returns", {"occurred_at": "2026-01-05T12:00:00Z"})
    expected = {"2026-01-01": "10.00", "2026-01-02": "30.00", "2026-01-04": "20.00", "2026-01-05": "30.00"}
    assert {day: (await fifo(shop, tea, as_of=day))["MAIN"] for day in expected} == expected
