"""FIFO cost layers: they move with transfers and come back with returns, at their cost and date."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from services.stock.tests.values.test_conservation import move, receive, valuation
from stockbuddy.contracts.catalog import SupplierCreated

if TYPE_CHECKING:
    import asyncpg

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


async def test_stock_of_unknown_cost_keeps_the_first_cost_that_becomes_known(shared_shop: Shop) -> None:
    shop, tea = shared_shop, await shared_shop.product()
    await move(shop, tea, "in", 10)
    await move(shop, tea, "out", 4)
    await receive(shop, tea, (10, "2"), (10, "5"))
    assert await fifo(shop, tea) == await valuation(shop, tea) == {"MAIN": "82.00"}
    await move(shop, tea, "out", 6)
    assert await fifo(shop, tea) == {"MAIN": "70.00"}
    await shop.require_integrity()


async def test_reversal_of_a_receipt_takes_what_is_left_of_it_first(shared_shop: Shop) -> None:
    shop, tea = shared_shop, await shared_shop.product()
    first = await move(shop, tea, "purchase", 10, unit_cost="1")
    await move(shop, tea, "out", 5)
    await receive(shop, tea, (10, "2"))
    await shop.admin.post(f"/stock-movements/{first['id']}/reverse")
    assert await fifo(shop, tea) == {"MAIN": "10.00"}
    await shop.require_integrity()


async def test_integrity_report_shows_differences_by_fifo_and_from_receipts(
    shop: Shop, database: asyncpg.Connection
) -> None:
    await shop.deliver(SupplierCreated(supplier_id=7, version=1, name="Leaf & Co"))
    tea, cup, pot = [await shop.product() for _ in range(3)]
    line = {"product_id": cup, "quantity": 3, "unit_cost": "2"}
    order = await shop.admin.post("/purchase-orders", {"supplier_id": 7, "lines": [line]})
    await shop.admin.post(f"/purchase-orders/{order['id']}/order")
    await shop.admin.post(f"/purchase-orders/{order['id']}/receive")
    await receive(shop, tea, (10, "1"), (10, "2"))
    await move(shop, tea, "out", 10)
    await receive(shop, pot, (4, "1"))
    await shop.require_integrity()
    # A movement without its effect on the level; a document and a level are changed.
    await database.execute("""
        INSERT INTO movement (product_id, warehouse_id, lot, version, movement_type, quantity, before, balance,
                              unit_cost, value, went_negative, occurred_at, recorded_at)
        SELECT product_id, warehouse_id, lot, version + 9, 'adjustment', -10, balance, 0, unit_cost, -5, false,
               occurred_at, recorded_at FROM movement WHERE product_id = 1 AND quantity < 0;
        UPDATE purchase_receipt_line SET unit_cost = 2.5;
        UPDATE level SET on_hand = 5 WHERE product_id = 3
    """)
    report = await shop.admin.get("/stock/integrity", values="fifo")
    found = {(row["what"], row["product_id"], row["expected"], row["found"]) for row in report["value_differences"]}
    assert {("receipts", cup, "7.50", "6.00"), ("fifo", tea, "0.00", "20.00")} <= found
    differences = {(row["what"], row["product_id"]) for row in report["differences"]}
    assert {("layers", tea), ("layers", pot), ("on_hand", pot)} <= differences
    usual = (await shop.admin.get("/stock/integrity"))["value_differences"]
    assert {row["what"] for row in usual} == {"value", "receipts"}
    await shop.admin.expect_problem(422, "/stock/integrity?values=lifo", method="GET")


async def test_past_layers_are_those_of_the_time(shared_shop: Shop) -> None:
    shop, tea = shared_shop, await shared_shop.product()
    await receive(shop, tea, (10, "1"), occurred_at="2026-01-01T12:00:00Z")
    await receive(shop, tea, (10, "2"), occurred_at="2026-01-02T12:00:00Z")
    sold = {"product": tea, "quantity": 10, "occurred_at": "2026-01-03T12:00:00Z"}
    sale = await shop.admin.post("/sales", sold)
    await shop.admin.post(f"/sales/{sale['id']}/returns", {"occurred_at": "2026-01-05T12:00:00Z"})
    expected = {"2026-01-01": "10.00", "2026-01-02": "30.00", "2026-01-04": "20.00", "2026-01-05": "30.00"}
    assert {day: (await fifo(shop, tea, as_of=day))["MAIN"] for day in expected} == expected
