"""GET /stock-levels, and the events of low-stock thresholds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop


async def test_level_contains_quantities_and_average_cost(shop: Shop) -> None:
    tea = await shop.product(
        10, sku="TEA", name="Green tea", category="Drinks", category_id=1, cost_price="2.5", low_stock_threshold=3
    )
    level = await shop.level(tea)
    assert level.pop("updated_at")
    assert level == {
        "product_id": tea,
        "sku": "TEA",
        "name": "Green tea",
        "category": "Drinks",
        "warehouse_id": level["warehouse_id"],
        "warehouse_code": "MAIN",
        "lot": 0,
        "on_hand": 10,
        "reserved": 0,
        "available": 10,
        "incoming": 0,
        "low_stock_threshold": 3,
        "value": "25.00",
        "average_cost": "2.50",
    }


async def test_levels_with_filters_are_selected(shop: Shop) -> None:
    tea = await shop.product(10, sku="TEA", category="Drinks", category_id=1, unit_price="4", low_stock_threshold=10)
    cup = await shop.product(20, sku="CUP", category="Dishes", category_id=2, unit_price="8", low_stock_threshold=19)
    default = await shop.product(10, sku="POT", unit_price="20", low_stock_threshold=None)
    annex = await shop.warehouse("ANNEX")
    move = {"product_id": tea, "movement_type": "in", "quantity": 99, "warehouse_id": annex}
    await shop.admin.post("/stock-movements", move)

    async def found(**chosen: Any) -> list[tuple[str, float]]:
        levels = (await shop.admin.get("/stock-levels", **chosen))["items"]
        return [(level["sku"], level["on_hand"]) for level in levels]

    assert await found() == [("TEA", 10), ("TEA", 99), ("CUP", 20), ("POT", 10)]
    assert await found(product_id=cup) == [("CUP", 20)]
    assert await found(sku="tea", warehouse_id=annex) == [("TEA", 99)]
    assert await found(category="drinks", warehouse_id=annex) == [("TEA", 99)]
    assert await found(price_min=5, price_max=10) == [("CUP", 20)]
    # 10 is the default threshold of the system settings.
    assert await found(low_stock=True) == [("TEA", 10), ("POT", 10)]
    assert await found(low_stock=False) == [("TEA", 99), ("CUP", 20)]
    assert (await shop.level(default))["low_stock_threshold"] == 10


async def test_levels_are_paged(shop: Shop) -> None:
    for _ in range(5):
        await shop.product(1)
    first = await shop.admin.get("/stock-levels", page_size=2)
    assert (first["total"], first["page"], first["page_size"], len(first["items"])) == (5, 1, 2, 2)
    second = await shop.admin.get("/stock-levels", page_size=2, cursor=first["next_cursor"])
    assert second["items"] == (await shop.admin.get("/stock-levels", page_size=2, page=2))["items"]
    last = await shop.admin.get("/stock-levels", page_size=2, page=3)
    assert (len(last["items"]), last["next_cursor"]) == (1, None)
    await shop.admin.expect_problem(422, "/stock-levels?page_size=101", method="GET")


async def test_list_of_levels_unchanged_returns_304(shop: Shop) -> None:
    await shop.product(1)
    first = await shop.admin.call("GET", "/stock-levels")
    again = await shop.admin.call("GET", "/stock-levels", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_threshold_crossed_publishes_one_event_per_direction(shop: Shop) -> None:
    tea = await shop.product(10, low_stock_threshold=5)

    async def move(quantity: float) -> None:
        body = {"product_id": tea, "movement_type": "adjustment", "quantity": quantity}
        await shop.admin.post("/stock-movements", body)

    async def new_threshold_events() -> list[tuple[str, float]]:
        await shop.wait_until_published()
        messages = [
            m for m in shop.bus.published if m.type.startswith("stock.level.") and not m.type.endswith("changed")
        ]
        events = [(message.type.rpartition(".")[2], json.loads(message.body)["on_hand"]) for message in messages]
        shop.bus.published.clear()
        return events

    assert await new_threshold_events() == []
    await move(-4)
    assert await new_threshold_events() == []
    await move(-1)
    assert await new_threshold_events() == [("low", 5)]
    await move(-1)
    await move(+1)
    assert await new_threshold_events() == []
    await move(-5)
    assert await new_threshold_events() == [("depleted", 0)]
    await move(+3)
    assert await new_threshold_events() == []
    await move(+3)
    assert await new_threshold_events() == [("recovered", 6)]
    await move(-6)
    assert await new_threshold_events() == [("low", 0), ("depleted", 0)]
    await move(+9)
    assert await new_threshold_events() == [("recovered", 9)]


async def test_threshold_event_contains_threshold(shop: Shop) -> None:
    tea = await shop.product(10, sku="TEA", low_stock_threshold=5)
    await shop.admin.post("/sales", {"product": tea, "quantity": 7})
    [low] = await shop.wait_for_events(1, "stock.level.low")
    assert (low["product_id"], low["sku"], low["on_hand"], low["threshold"]) == (tea, "TEA", 3, 5)
