"""Reorder suggestions, reorder rules, and purchase orders from suggestions."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from stockbuddy.chassis.access.roles import Role
from stockbuddy.contracts.catalog import SupplierCreated

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop


@pytest.fixture
async def suppliers(shop: Shop) -> None:
    """Supplier 7 has a lead time of four days, supplier 8 has none."""
    await shop.deliver(SupplierCreated(supplier_id=7, version=1, name="Leaf & Co", lead_time_days=4))
    await shop.deliver(SupplierCreated(supplier_id=8, version=1, name="Mugs Ltd"))


async def sell_daily(shop: Shop, product_id: int, quantity: float, days: int = 20, opening: int = 1000) -> None:
    """Sell `quantity` on each of the last `days` days, from `opening` received on the first of them."""
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)

    def movement(kind: str, units: float, days_ago: int) -> dict[str, Any]:
        at = (noon - timedelta(days=days_ago)).isoformat()
        return {"product_id": product_id, "movement_type": kind, "quantity": units, "occurred_at": at}

    sold = [movement("sale", quantity, days_ago) for days_ago in range(1, days + 1)]
    await shop.admin.post("/stock-movements/batch", {"movements": [movement("in", opening, days), *sold]})


async def suggested(shop: Shop, **parameters: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await shop.caller(5, Role.MANAGER).get("/reorder-suggestions", **parameters))[
        "items"
    ]
    return items


async def test_suggestion_contains_its_inputs(shop: Shop, suppliers: None) -> None:
    tea = await shop.product(sku="TEA", supplier_id=7, cost_price="1.50")
    await sell_daily(shop, tea, 5, opening=120)
    [suggestion] = await suggested(shop)
    assert (suggestion["sku"], suggestion["supplier"], suggestion["warehouse_code"]) == ("TEA", "Leaf & Co", "MAIN")
    # 20 remain, 5 are sold each day without deviation: 4 days of lead time, no safety stock, 14 days to cover.
    assert (suggestion["quantity"], suggestion["unit_cost"], suggestion["days_left"]) == (70, "1.50", 4)
    assert [reason["text"] for reason in suggestion["explanation"]] == [
        "20 are expected to be needed in the 4 days until a delivery.",
        "20 are in stock or on their way, without what is reserved.",
        "70 more are ordered for the 14 days after the delivery.",
    ]
    assert suggestion["inputs"] == {
        "method": "tsb",
        "demand_units": 100,
        "history_days": 20,
        "days_without_stock": 0,
        "days_with_promotion": 0,
        "demand_per_day": 5,
        "deviation_per_day": 0,
        "lead_time_days": 4,
        "lead_time_demand": 20,
        "cover_days": 14,
        "cover_demand": 70,
        "service_level": 0.95,
        "safety_stock": 0,
        "low_stock_threshold": 0,
        "on_hand": 20,
        "reserved": 0,
        "incoming": 0,
        "position": 20,
        "reorder_point": 20,
        "order_up_to": 90,
        "minimum_quantity": None,
        "pack_size": None,
        "rule_id": None,
    }


async def test_suggestion_after_order_disappears(shop: Shop, suppliers: None) -> None:
    tea = await shop.product(supplier_id=7, cost_price="1.50")
    await sell_daily(shop, tea, 5, opening=110)
    ordered = await shop.admin.post("/reorder-suggestions/order", {"lines": [{"product_id": tea}]})
    [draft] = ordered["purchase_orders"]
    assert [(line["quantity"], line["unit_cost"]) for line in draft["lines"]] == [(80, "1.50")]
    assert len(await suggested(shop)) == 1
    await shop.admin.post(f"/purchase-orders/{draft['id']}/order")
    assert await suggested(shop) == []
    await shop.admin.post(f"/purchase-orders/{draft['id']}/cancel")
    assert len(await suggested(shop)) == 1


async def test_products_at_threshold_without_demand_are_suggested(shop: Shop, suppliers: None) -> None:
    low = await shop.product(3, low_stock_threshold=10)
    never = await shop.product(low_stock_threshold=5)
    await shop.product(11, low_stock_threshold=10)
    found = {item["product_id"]: (item["quantity"], item["days_left"]) for item in await suggested(shop)}
    assert found == {low: (7, None), never: (5, None)}
    assert [item["product_id"] for item in await suggested(shop)] == [never, low]


async def test_varying_demand_adds_safety_stock(shop: Shop, suppliers: None) -> None:
    tea = await shop.product(supplier_id=7)
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    movements = [
        {
            "product_id": tea,
            "movement_type": "in",
            "quantity": 40,
            "occurred_at": (noon - timedelta(days=10)).isoformat(),
        }
    ]
    for days_ago in range(2, 11, 2):
        at = (noon - timedelta(days=days_ago)).isoformat()
        movements.append({"product_id": tea, "movement_type": "out", "quantity": 6, "occurred_at": at})
    await shop.admin.post("/stock-movements/batch", {"movements": movements})
    [suggestion] = await suggested(shop)
    inputs = suggestion["inputs"]
    assert (inputs["demand_per_day"], inputs["deviation_per_day"]) == (
        pytest.approx(3, rel=0.1),
        pytest.approx(3, rel=0.1),
    )
    # With the normal distribution it is 1.645 x 3 x 2 = 9.9; demand on few days has larger quantiles.
    assert 9.9 < inputs["safety_stock"] < 15
    assert inputs["reorder_point"] == pytest.approx(inputs["lead_time_demand"] + inputs["safety_stock"], abs=0.002)
    [safety] = [reason for reason in suggestion["explanation"] if reason["code"] == "safety_stock"]
    assert safety["values"]["percent"] == "95"


async def test_days_without_stock_do_not_lower_order(shop: Shop, suppliers: None) -> None:
    """Five a day for 40 days; then the stock was used up, ten days ago."""
    tea = await shop.product(supplier_id=7)
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    received = {
        "product_id": tea,
        "movement_type": "in",
        "quantity": 200,
        "occurred_at": (noon - timedelta(days=50)).isoformat(),
    }
    sold = [
        received | {"movement_type": "out", "quantity": 5, "occurred_at": (noon - timedelta(days=days_ago)).isoformat()}
        for days_ago in range(50, 10, -1)
    ]
    movements = [received, *sold]
    await shop.admin.post("/stock-movements/batch", {"movements": movements})
    [suggestion] = await suggested(shop)
    inputs = suggestion["inputs"]
    # 4 days until the delivery and 14 after it.
    assert (suggestion["quantity"], inputs["demand_per_day"], inputs["days_without_stock"]) == (90, 5, 11)
    assert suggestion["explanation"][-1]["values"] == {"days": "11"}


async def test_order_of_rising_demand_is_that_of_the_coming_days(shop: Shop, suppliers: None) -> None:
    """From 1 to 60 a day: 61 to 64 until the delivery, 65 to 78 after it."""
    tea = await shop.product(supplier_id=7)
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    movements = [
        {
            "product_id": tea,
            "movement_type": "in" if days_ago == 61 else "sale",
            "quantity": 1900 if days_ago == 61 else 61 - days_ago,
            "occurred_at": (noon - timedelta(days=days_ago)).isoformat(),
        }
        for days_ago in range(61, 0, -1)
    ]
    await shop.admin.post("/stock-movements/batch", {"movements": movements})
    [suggestion] = await suggested(shop)
    assert suggestion["inputs"]["lead_time_demand"] == pytest.approx(250, rel=0.05)
    assert suggestion["inputs"]["cover_demand"] == pytest.approx(1001, rel=0.05)


async def test_suggestions_for_all_products_equal_those_for_one(shop: Shop, suppliers: None) -> None:
    """Both products are sold in two warehouses, an issue is reversed, and a sale is at a reduced price."""
    north = await shop.warehouse("NORTH")
    noon = (datetime.now(UTC) - timedelta(days=2)).replace(hour=12).isoformat()
    for sku in ("TEA", "MUG"):
        product = await shop.product(sku=sku, supplier_id=7, unit_price="10")
        await sell_daily(shop, product, 5, opening=150)
        line = {"product_id": product, "quantity": 24, "unit_price": "6"}
        await shop.admin.post("/sales", {"lines": [line], "occurred_at": noon})
        body = {"product_id": product, "warehouse_id": north, "quantity": 30, "occurred_at": noon}
        await shop.admin.post("/stock-movements", body | {"movement_type": "in"})
        wrong = await shop.admin.post("/stock-movements", body | {"movement_type": "out"})
        await shop.admin.post(f"/stock-movements/{wrong['id']}/reverse")
        await shop.admin.post("/stock-movements", body | {"movement_type": "out", "quantity": 24})
    of_all = await suggested(shop)
    figures = [
        (one["sku"], one["warehouse_code"], one["inputs"]["demand_units"], one["inputs"]["days_with_promotion"])
        for one in of_all
    ]
    assert sorted(figures) == [
        ("MUG", "MAIN", 124, 1),
        ("MUG", "NORTH", 24, 0),
        ("TEA", "MAIN", 124, 1),
        ("TEA", "NORTH", 24, 0),
    ]
    for one in of_all:
        assert one in await suggested(shop, product_id=one["product_id"])


async def test_minimum_quantity_pack_size_and_threshold_are_explained(shop: Shop, suppliers: None) -> None:
    tea = await shop.product(3, low_stock_threshold=10)
    await shop.admin.post("/reorder-rules", {"product_id": tea, "minimum_quantity": 20, "pack_size": 12})
    [suggestion] = await suggested(shop)
    assert suggestion["quantity"] == 24
    assert [reason["text"] for reason in suggestion["explanation"]] == [
        "The product's threshold is 10, which is more.",
        "3 are in stock or on their way, without what is reserved.",
        "The least quantity of an order is 20.",
        "The quantity is rounded up to packs of 12.",
    ]


async def test_reorder_rule_applies_to_its_product_and_warehouse(shop: Shop, suppliers: None) -> None:
    tea = await shop.product(100, supplier_id=7)
    body = {"product_id": tea, "reorder_point": 200, "cover_days": 0, "pack_size": 24, "supplier_id": 8}
    rule = await shop.admin.post("/reorder-rules", body)
    [suggestion] = await suggested(shop, supplier_id=8)
    assert (suggestion["quantity"], suggestion["supplier"], suggestion["inputs"]["rule_id"]) == (
        120,
        "Mugs Ltd",
        rule["id"],
    )
    assert await suggested(shop, supplier_id=7) == []
    answer = await shop.admin.call(
        "PATCH", f"/reorder-rules/{rule['id']}", json={"is_active": False}, headers={"If-Match": '"1"'}
    )
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    assert await suggested(shop) == []
    north = await shop.warehouse("NORTH")
    await shop.admin.post("/reorder-rules", {"sku": f"SKU-{tea}", "warehouse_code": "north", "reorder_point": 4})
    assert [(item["warehouse_id"], item["quantity"]) for item in await suggested(shop, warehouse_id=north)] == [
        (north, 4)
    ]


async def test_reorder_rule_is_unique_and_managed_by_managers(shop: Shop, suppliers: None) -> None:
    tea = await shop.product()
    body = {"product_id": tea, "safety_stock": "2.5", "lead_time_days": 3}
    rules = await asyncio.gather(*(shop.admin.post("/reorder-rules", body, key="rule") for _ in range(3)))
    assert all(rule == rules[0] for rule in rules)
    path = f"/reorder-rules/{rules[0]['id']}"
    assert (await shop.admin.expect_problem(409, "/reorder-rules", body))["code"] == "duplicate_rule"
    assert (await shop.admin.get("/reorder-rules", product_id=tea))["items"] == [await shop.admin.get(path)]
    changed = (await shop.admin.call("PUT", path, json={"safety_stock": None, "cover_days": 9})).json()
    assert (changed["safety_stock"], changed["cover_days"], changed["lead_time_days"]) == (None, 9, 3)
    for wrong in ({"pack_size": 0}, {"lead_time_days": -1}, {"supplier_id": None, "x": 1}):
        await shop.admin.expect_problem(422, path, wrong, method="PATCH")
    await shop.admin.expect_problem(404, path, {"supplier_id": 99}, method="PATCH")
    seller, manager = shop.caller(5), shop.caller(6, Role.MANAGER, warehouse_ids=[999])
    await seller.expect_problem(403, "/reorder-rules", body)
    await seller.expect_problem(403, path, method="GET")
    await manager.expect_problem(403, path, {"cover_days": 1}, method="PATCH")
    await manager.expect_problem(403, path, method="DELETE")
    assert (await shop.admin.call("DELETE", path, headers={"If-Match": '"1"'})).status_code == 412
    assert (await shop.admin.call("DELETE", path)).status_code == 204
    await shop.admin.expect_problem(404, path, method="GET")
    kinds = ("stock.reorder_rule.created", "stock.reorder_rule.updated", "stock.reorder_rule.deleted")
    assert [event["version"] for event in await shop.wait_for_events(3, *kinds)] == [1, 2, 3]


async def test_ordered_suggestions_create_draft_per_supplier_and_warehouse(shop: Shop, suppliers: None) -> None:
    north = await shop.warehouse("NORTH")
    tea = await shop.product(1, sku="TEA", supplier_id=7, cost_price="2", low_stock_threshold=10)
    pot = await shop.product(2, sku="POT", supplier_id=7, cost_price="3", low_stock_threshold=10)
    cup = await shop.product(3, sku="CUP", cost_price="4", low_stock_threshold=10)
    body = {
        "lines": [
            {"product_id": tea},
            {"sku": "cup", "supplier_id": 8, "quantity": 50},
            {"product_id": pot, "unit_cost": "2.75"},
            {"product_id": tea, "warehouse_id": north, "quantity": 1},
        ],
        "reference": "week 9",
    }
    ordered = await asyncio.gather(*(shop.admin.post("/reorder-suggestions/order", body, key="w9") for _ in range(3)))
    assert ordered[0] == ordered[1] == ordered[2]
    orders = ordered[0]["purchase_orders"]
    assert [
        (order["supplier_id"], order["warehouse_id"] == north, order["total"], order["status"], order["reference"])
        for order in orders
    ] == [
        (7, False, "40.00", "draft", "week 9"),
        (8, False, "200.00", "draft", "week 9"),
        (7, True, "2.00", "draft", "week 9"),
    ]
    assert [(line["sku"], line["quantity"]) for line in orders[0]["lines"]] == [("TEA", 9), ("POT", 8)]
    for order in orders:
        assert await shop.admin.get(f"/purchase-orders/{order['id']}") == order
    assert (await shop.admin.get("/purchase-orders"))["total"] == 3
    await shop.wait_until_published()
    assert len(shop.bus.events("stock.purchase.drafted")) == 3
    assert cup in {line["product_id"] for line in orders[1]["lines"]}


async def test_order_of_suggestions_with_invalid_line_creates_nothing(shop: Shop, suppliers: None) -> None:
    tea = await shop.product(1, supplier_id=7, cost_price="2", low_stock_threshold=10)
    cup = await shop.product(1, cost_price="2", low_stock_threshold=10)
    full = await shop.product(100, supplier_id=7, cost_price="2")

    async def refusal(line: dict[str, Any]) -> str:
        problem = await shop.admin.expect_problem(
            422, "/reorder-suggestions/order", {"lines": [{"product_id": tea}, line]}
        )
        field: str = problem["errors"][0]["field"]
        return field

    assert await refusal({"product_id": cup}) == "lines.1.supplier_id"
    assert await refusal({"product_id": full}) == "lines.1.quantity"
    most = {"quantity": 99_999_999, "unit_cost": "900000"}
    absurd = {"lines": [{"product_id": tea, **most}, {"product_id": full, **most}]}
    problem = await shop.admin.expect_problem(422, "/reorder-suggestions/order", absurd)
    message = "must come to less than 100,000,000,000,000"
    assert problem["errors"] == [{"field": "lines", "message": message, "code": "amount_too_large", "values": {}}]
    await shop.admin.expect_problem(422, "/reorder-suggestions/order", {"lines": []})
    await shop.caller(5).expect_problem(403, "/reorder-suggestions/order", {"lines": [{"product_id": tea}]})
    assert (await shop.admin.get("/purchase-orders"))["total"] == 0


async def test_suggestions_paged_by_cursor_are_complete(shop: Shop) -> None:
    products = [await shop.product(number % 5, low_stock_threshold=10) for number in range(25)]
    first = await shop.admin.get("/reorder-suggestions", page_size=10)
    seen = [item["product_id"] for item in first["items"]]
    cursor = first["next_cursor"]
    while cursor:
        page = await shop.admin.get("/reorder-suggestions", page_size=10, cursor=cursor)
        seen += [item["product_id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert (first["total"], sorted(seen)) == (25, products)
    second = await shop.admin.get("/reorder-suggestions", page_size=10, page=2)
    assert [item["product_id"] for item in second["items"]] == seen[10:20]
    await shop.admin.expect_problem(422, "/reorder-suggestions?cursor=nonsense", method="GET")
