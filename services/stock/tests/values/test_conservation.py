"""Value is conserved, over time and between places: what receipts paid is what left plus what is on hand or in transit,
exactly. The situations come from bug reports of shops; `10@2` is ten units at a unit cost of 2."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from services.stock.tests.replicas.test_system_settings import settings
from stockbuddy.contracts.catalog import ProductDeleted, SupplierCreated

if TYPE_CHECKING:
    from services.stock.tests.conftest import ProductEvent, Shop


async def move(shop: Shop, product: int, kind: str, quantity: float, **values: Any) -> dict[str, Any]:
    body = {"product_id": product, "movement_type": kind, "quantity": quantity, **values}
    posted: dict[str, Any] = await shop.admin.post("/stock-movements", body)
    return posted


async def receive(shop: Shop, product: int, *lots: tuple[float, str], **values: Any) -> None:
    for quantity, cost in lots:
        await move(shop, product, "purchase", quantity, unit_cost=cost, **values)


async def valuation(shop: Shop, product: int, **parameters: Any) -> dict[str | None, str]:
    """The product's value by warehouse; None: in transit."""
    report = await shop.admin.get("/reports/inventory-valuation", **parameters)
    rows = [row for row in report["rows"] if row["product_id"] == product]
    assert all((row["state"] == "in_transit") == (row["warehouse"] is None) for row in rows)
    return {row["warehouse"]: row["value"] for row in rows}


async def values(shop: Shop, product: int) -> list[Decimal]:
    """The values of all movements of the product, in their order."""
    page = await shop.admin.get("/stock-movements", product_id=product, sort_by="recorded_asc", page_size=100)
    return [Decimal(movement["value"]) for movement in page["items"]]


async def require_sum(shop: Shop, product: int, in_transit: str = "0") -> None:
    levels = (await shop.admin.get("/stock-levels", product_id=product))["items"]
    assert sum(await values(shop, product)) == sum(Decimal(level["value"]) for level in levels)
    transfers = (await shop.admin.get("/stock-transfers", product_id=product))["items"]
    lines = [line for transfer in transfers for line in transfer["lines"]]
    assert sum(Decimal(line["value_in_transit"]) for line in lines) == Decimal(in_transit)
    await shop.require_integrity()


async def test_average_of_partial_receipts_is_exact(shared_shop: Shop) -> None:
    """10@3, then 30 in five parts, so that the exact average is 3.5: it was 3.4999 when every part rounded it."""
    shop, tea = shared_shop, await shared_shop.product()
    await shop.deliver(SupplierCreated(supplier_id=7, version=1, name="Leaf & Co"))
    await receive(shop, tea, (10, "3"))
    line = {"product_id": tea, "quantity": 30, "unit_cost": "3.6667"}
    order = await shop.admin.post("/purchase-orders", {"supplier_id": 7, "lines": [line]})
    await shop.admin.post(f"/purchase-orders/{order['id']}/order")
    for quantity, cost in ((10, "3"), (5, "3.3333"), (5, "3.6667"), (5, "4"), (5, "5")):
        part = {"product_id": tea, "quantity": quantity, "unit_cost": cost}
        await shop.admin.post(f"/purchase-orders/{order['id']}/receive", {"lines": [part]})
    level = await shop.level(tea)
    assert (level["value"], level["average_cost"]) == ("140.00", "3.50")
    sale = await shop.admin.post("/sales", {"product": tea, "quantity": 2})
    assert (sale["cost"], sale["lines"][0]["cost"]) == ("7.00", "7.00")
    await require_sum(shop, tea)


async def test_last_unit_takes_the_remainder(shared_shop: Shop) -> None:
    shop, tea = shared_shop, await shared_shop.product()
    await receive(shop, tea, (3, "3.3333"), (0.333, "0.01"))
    for quantity in (1, 1, 1, 0.333):
        await move(shop, tea, "out", quantity)
    level = await shop.level(tea)
    assert (level["on_hand"], level["value"]) == (0, "0.00")
    await require_sum(shop, tea)


async def test_stock_returned_to_the_supplier_leaves_at_its_cost(shared_shop: Shop) -> None:
    shop, tea = shared_shop, await shared_shop.product()
    await receive(shop, tea, (2, "100"), (2, "200"))
    returned = await move(shop, tea, "out", 1, unit_cost="200")
    assert (returned["value"], returned["unit_cost"]) == ("-200.00", "200.00")
    assert await valuation(shop, tea) == {"MAIN": "400.00"}
    assert await valuation(shop, tea, method="fifo") == {"MAIN": "400.00"}
    await require_sum(shop, tea)


async def test_stated_cost_that_is_no_longer_in_the_level_is_replaced_by_the_average(shared_shop: Shop) -> None:
    shop, tea = shared_shop, await shared_shop.product()
    await receive(shop, tea, (10, "1"))
    left = await move(shop, tea, "out", 5, unit_cost="100")
    assert (left["value"], left["unit_cost"]) == ("-5.00", "1.00")
    await require_sum(shop, tea)


@pytest.mark.parametrize("undo", ["returns", "void"])
async def test_profit_of_a_sale_that_came_back_is_zero(shared_shop: Shop, undo: str) -> None:
    """6 sold for 60 at a cost of 50, of an average that has no end: 25 / 3."""
    shop, tea = shared_shop, await shared_shop.product(unit_price="10")
    await receive(shop, tea, (9, "8.3333"))
    await move(shop, tea, "out", 3, unit_cost="8.3330")
    await receive(shop, tea, (3, "8.3337"))
    sale = await shop.admin.post("/sales", {"product": tea, "quantity": 6})
    assert (sale["total"], sale["cost"], sale["profit"]) == ("60.00", "50.0012", "9.9988")
    await receive(shop, tea, (1, "99"))
    before = Decimal((await shop.level(tea))["value"])
    await shop.admin.post(f"/sales/{sale['id']}/{undo}", {})
    after = await shop.admin.get(f"/sales/{sale['id']}")
    assert (after["cost"], after["profit"]) == ("0.00", "0.00")
    assert Decimal((await shop.level(tea))["value"]) - before == Decimal(sale["lines"][0]["cost"])
    await require_sum(shop, tea)


async def test_partial_returns_bring_back_exactly_the_cost(shared_shop: Shop) -> None:
    """In three parts, of which one is not put back: its cost remains."""
    shop, tea = shared_shop, await shared_shop.product(unit_price="10")
    await receive(shop, tea, (7, "1.4286"))
    await move(shop, tea, "adjustment", 0.003)
    sale = await shop.admin.post("/sales", {"product": tea, "quantity": 3})
    cost = Decimal(sale["lines"][0]["cost"])
    path = f"/sales/{sale['id']}/returns"
    lost = await shop.admin.post(path, {"lines": [{"product_id": tea, "quantity": 1}], "restock": False})
    assert lost["lines"][0]["cost"] is None
    returned = [await shop.admin.post(path, {"lines": [{"product_id": tea, "quantity": 1}]}) for _ in range(2)]
    restocked = sum(Decimal(made["lines"][0]["cost"]) for made in returned)
    after = await shop.admin.get(f"/sales/{sale['id']}")
    assert (after["refunded"], after["profit"]) == ("30.00", f"-{after['cost']}")
    assert Decimal(after["lines"][0]["cost_returned"]) == restocked
    assert abs(cost - restocked - cost / 3) < Decimal("1E-9")
    await require_sum(shop, tea)


async def test_goods_in_transit_have_a_value_of_their_own(shared_shop: Shop) -> None:
    shop, tea, b = shared_shop, await shared_shop.product(), await shared_shop.warehouse("TRANSIT")
    await receive(shop, tea, (10, "1"))
    before = await shop.admin.get("/dashboard/stats")
    body = {"product_id": tea, "quantity": 10, "from_warehouse_code": "MAIN", "to_warehouse_id": b}
    made = await shop.admin.post("/stock-transfers", body)
    shipped = await shop.admin.post(f"/stock-transfers/{made['id']}/ship")
    assert shipped["lines"][0]["value_in_transit"] == "10.00"
    for method in ("average", "fifo"):
        assert await valuation(shop, tea, method=method) == {None: "10.00"}
    dashboard = await shop.admin.get("/dashboard/stats")
    assert (dashboard["units_in_transit"], dashboard["value_in_transit"]) == (10, "10.00")
    assert Decimal(before["inventory_value"]) - Decimal(dashboard["inventory_value"]) == 10
    await require_sum(shop, tea, in_transit="10")
    await shop.admin.post(f"/stock-transfers/{made['id']}/complete")
    assert await valuation(shop, tea) == {"TRANSIT": "10.00"}
    [past] = [row for row in (await shop.admin.get("/reports/stock-aging"))["rows"] if row["product_id"] == tea]
    assert (past["state"], past["quantity"]) == ("on_hand", 10)
    await require_sum(shop, tea)


@pytest.mark.parametrize("disposition", ["return", "write_off"])
async def test_transfer_in_parts_with_damage_conserves_value(shared_shop: Shop, disposition: str) -> None:
    """Seven units worth 10, a cost per unit without end; the destination holds stock of another cost."""
    shop, tea = shared_shop, await shared_shop.product()
    b = await shop.warehouse(f"B-{disposition}")
    await receive(shop, tea, (3, "1"), (4, "1.75"))
    await receive(shop, tea, (5, "100"), warehouse_id=b)
    body = {"product_id": tea, "quantity": 6, "from_warehouse_code": "MAIN", "to_warehouse_id": b}
    made = await shop.admin.post("/stock-transfers", body)
    path = f"/stock-transfers/{made['id']}"
    await shop.admin.post(f"{path}/ship")
    await shop.admin.post(f"{path}/receive", {"lines": [{"product_id": tea, "received": 1, "damaged": 1}]})
    # The damaged unit leaves at the value at which it arrived, not at the average of the destination.
    out, arrived, damaged = (await values(shop, tea))[3:]
    assert (out, arrived) == (Decimal("-8.5714285714"), Decimal("2.8571428571"))
    assert damaged in (-arrived / 2, Decimal("-1.4285714286"), Decimal("-1.4285714285"))
    partly = await shop.admin.get(path)
    assert partly["lines"][0]["value_in_transit"] == "5.7142857143"
    await require_sum(shop, tea, in_transit="5.7142857143")
    await shop.admin.post(f"{path}/cancel", {"disposition": disposition})
    total = sum(Decimal(value) for value in (await valuation(shop, tea)).values())
    lost = Decimal("1.4286") + (Decimal("5.7143") if disposition == "write_off" else 0)
    assert abs(total - (510 - lost)) < Decimal("0.0002")
    await require_sum(shop, tea)


async def test_stock_below_zero_leaves_at_the_last_average_and_is_corrected_by_the_receipt(shared_shop: Shop) -> None:
    shop, tea = shared_shop, await shared_shop.product()
    w = await shop.warehouse("NEGATIVE", negative_stock="allow")
    at = {"warehouse_id": w}
    await receive(shop, tea, (2, "3"), **at)
    await move(shop, tea, "out", 6, **at)
    level = await shop.level(tea, "NEGATIVE")
    assert (level["on_hand"], level["value"], level["average_cost"]) == (-4, "-12.00", "3.00")
    # Part of what is missing: it is received at 5, but had left at 3.
    await receive(shop, tea, (1, "5"), **at)
    assert (await shop.level(tea, "NEGATIVE"))["value"] == "-9.00"
    # Eight at 5, of which three cover stock that had left at 3.
    received = await move(shop, tea, "purchase", 8, unit_cost="5", **at)
    assert (received["value"], received["correction"], received["average_cost"]) == ("34.00", "-6.00", "5.00")
    level = await shop.level(tea, "NEGATIVE")
    assert (level["on_hand"], level["value"], level["average_cost"]) == (5, "25.00", "5.00")
    await require_sum(shop, tea)


async def test_stock_of_unknown_cost_is_valued_once_a_cost_is_known(shared_shop: Shop) -> None:
    shop, tea = shared_shop, await shared_shop.product()
    await move(shop, tea, "in", 10)
    level = await shop.level(tea)
    assert (level["value"], level["average_cost"]) == ("0.00", None)
    sale = await shop.admin.post("/sales", {"product": tea, "quantity": 4})
    assert (sale["cost"], sale["profit"]) == (None, None)
    await receive(shop, tea, (4, "5"))
    level = await shop.level(tea)
    assert (level["value"], level["average_cost"]) == ("50.00", "5.00")
    for method in ("average", "fifo"):
        assert await valuation(shop, tea, method=method) == {"MAIN": "50.00"}
    await require_sum(shop, tea)


async def test_free_goods_lower_the_average(shared_shop: Shop) -> None:
    shop, tea = shared_shop, await shared_shop.product(cost_price="7")
    await receive(shop, tea, (10, "2"), (10, "0"))
    level = await shop.level(tea)
    assert (level["value"], level["average_cost"]) == ("20.00", "1.00")
    counted = await shop.admin.post("/stock-counts", {"product_ids": [tea]})
    await shop.admin.post(f"/stock-counts/{counted['id']}/lines", {"lines": [{"product_id": tea, "counted": 23}]})
    await shop.admin.post(f"/stock-counts/{counted['id']}/approve")
    assert (await shop.level(tea))["value"] == "23.00"
    await require_sum(shop, tea)


async def test_reversal_of_a_receipt_of_which_a_part_was_sold(shared_shop: Shop) -> None:
    shop, tea = shared_shop, await shared_shop.product()
    await receive(shop, tea, (10, "2"))
    wrong = await move(shop, tea, "purchase", 10, unit_cost="8")
    await shop.admin.post("/sales", {"product": tea, "quantity": 2})
    reversal = await shop.admin.post(f"/stock-movements/{wrong['id']}/reverse")
    assert (reversal["value"], reversal["balance"]) == ("-80.00", 8)
    assert (await shop.level(tea))["value"] == "10.00"
    assert await valuation(shop, tea, method="fifo") == {"MAIN": "16.00"}
    await require_sum(shop, tea)


async def test_value_too_large_to_be_stored_is_refused(shared_shop: Shop) -> None:
    shop, tea = shared_shop, await shared_shop.product()
    body = {"product_id": tea, "movement_type": "in", "quantity": 400_000_000_000, "unit_cost": "90000000000000"}
    problem = await shop.admin.expect_problem(422, "/stock-movements", body)
    assert problem["code"] == "quantity_out_of_range"
    batch = await shop.admin.post("/stock-movements/batch", {"movements": [body], "on_error": "continue"})
    assert batch["rejected"] == 1


@pytest.mark.parametrize(("currency", "total", "half"), [("EUR", "1.33", "0.50"), ("JPY", "1.00", "0.00")])
async def test_payable_amounts_are_rounded_to_the_minor_unit(shop: Shop, currency: str, total: str, half: str) -> None:
    """0.333 at 3.99, half away from zero; the unit price keeps its places. Refunds add up to the total."""
    await shop.deliver(settings(2, currency=currency))
    tea = await shop.product(10, unit_price="3.99", cost_price="1.2345")
    sale = await shop.admin.post("/sales", {"product": tea, "quantity": 0.333})
    assert (sale["total"], sale["cost"]) == (total, "0.4111")
    cheap = await shop.admin.post("/sales", {"product": tea, "quantity": 1, "unit_price": "0.4950"})
    assert (cheap["total"], cheap["lines"][0]["unit_price"]) == (half, "0.495")
    path = f"/sales/{sale['id']}/returns"
    refunds = [
        Decimal((await shop.admin.post(path, {"lines": [{"product_id": tea, "quantity": 0.111}]}))["total"])
        for _ in range(3)
    ]
    assert sum(refunds) == Decimal(total)
    assert all(refund == round(refund, 0 if currency == "JPY" else 2) for refund in refunds)
    await shop.deliver(SupplierCreated(supplier_id=7, version=1, name="Leaf & Co"))
    line = {"product_id": tea, "quantity": 0.333, "unit_cost": "3.99"}
    order = await shop.admin.post("/purchase-orders", {"supplier_id": 7, "lines": [line]})
    await shop.admin.post(f"/purchase-orders/{order['id']}/order")
    received = await shop.admin.post(f"/purchase-orders/{order['id']}/receive")
    assert (order["total"], received["received_total"]) == (total, total)
    # What the stock is worth is exact.
    assert (await values(shop, tea))[-1] == Decimal("1.32867")


async def test_deleted_product_stays_in_the_reports_of_its_time(
    shared_shop: Shop, product_created: ProductEvent
) -> None:
    shop, tea = shared_shop, await shared_shop.product()
    await receive(shop, tea, (8, "5"), occurred_at="2025-10-20T12:00:00Z")
    await move(shop, tea, "out", 8, occurred_at="2025-11-20T12:00:00Z")
    await shop.deliver(ProductDeleted.model_validate(product_created(tea, version=2, deleted=True).model_dump()))
    for method in ("average", "fifo"):
        assert await valuation(shop, tea, method=method, as_of="2025-10-31") == {"MAIN": "40.00"}
    [aged] = [
        row
        for row in (await shop.admin.get("/reports/stock-aging", as_of="2025-10-31"))["rows"]
        if row["product_id"] == tea
    ]
    assert aged["quantity"] == 8
    moved = await shop.admin.get("/reports/movements", **{"from": "2025-10-01", "to": "2025-11-01"})
    assert [row["closing"] for row in moved["rows"] if row["product_id"] == tea] == [8]


async def test_past_value_is_the_sum_of_the_changes_that_had_occurred(shared_shop: Shop) -> None:
    """10@10 on 10 November, then a late entry of 10@20 on 1 November."""
    shop, tea = shared_shop, await shared_shop.product()
    await receive(shop, tea, (10, "10"), occurred_at="2025-11-10T12:00:00Z")
    await receive(shop, tea, (10, "20"), occurred_at="2025-11-01T12:00:00Z")
    for method in ("average", "fifo"):
        assert await valuation(shop, tea, method=method, as_of="2025-11-05") == {"MAIN": "200.00"}
        assert await valuation(shop, tea, method=method, as_of="2025-11-10") == {"MAIN": "300.00"}
    past = (await shop.admin.get("/stock-levels", product_id=tea, as_of="2025-11-05"))["items"]
    assert [(level["value"], level["average_cost"]) for level in past] == [("200.00", "20.00")]
