"""Quantities that catalog's imports name for existing products become adjustments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockbuddy.contracts.catalog import ProductQuantityImported

if TYPE_CHECKING:
    from services.stock.tests.conftest import ProductEvent, Shop


async def test_imported_quantity_of_redelivered_event_is_posted_once(shop: Shop, product_created: ProductEvent) -> None:
    await shop.deliver(product_created(1, opening_quantity=10, cost_price="3"), product_created(2))
    events = [ProductQuantityImported(product_id=number, quantity=number * 25, import_id=7) for number in (1, 2)]

    await shop.deliver(*events, actor_id=7)
    await shop.deliver(*events, actor_id=7)

    assert [(await shop.level(number))["on_hand"] for number in (1, 2)] == [25, 50]
    movements = (await shop.admin.get("/stock-movements", movement_type="adjustment"))["items"]
    assert sorted((m["product_id"], m["quantity"], m["notes"], m["performed_by"]) for m in movements) == [
        (1, 15, "import 7", 7),
        (2, 50, "import 7", 7),
    ]
    await shop.require_integrity()


async def test_imported_quantity_outside_the_users_warehouses_is_not_posted(
    shop: Shop, product_created: ProductEvent
) -> None:
    await shop.deliver(product_created(1, opening_quantity=10))

    await shop.deliver(ProductQuantityImported(product_id=1, quantity=25, warehouse_ids=[99], import_id=7))

    assert (await shop.level(1))["on_hand"] == 10
