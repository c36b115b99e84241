"""Replica of catalog's products: events, opening stock, and requests that wait for a new product."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from stockbuddy.contracts.catalog import ProductDeleted, ProductRepublished, ProductUpdated

if TYPE_CHECKING:
    import asyncpg

    from services.stock.tests.conftest import ProductEvent, Shop, StartShop


async def test_opening_quantity_of_redelivered_event_is_posted_once(shop: Shop, product_created: ProductEvent) -> None:
    event = product_created(1, opening_quantity=12.5, cost_price="3")
    await shop.deliver(event, actor_id=7)
    await shop.deliver(event, actor_id=7)
    [movement] = (await shop.admin.get("/stock-movements"))["items"]
    assert (movement["movement_type"], movement["quantity"], movement["unit_cost"]) == ("in", 12.5, "3.00")
    assert (movement["performed_by"], movement["document"]) == (7, "opening/1")
    assert (await shop.level(1))["average_cost"] == "3.00"
    assert [event["on_hand"] for event in await shop.wait_for_events(1, "stock.level.changed")] == [12.5]


async def test_opening_quantities_of_batch_are_posted(shop: Shop, product_created: ProductEvent) -> None:
    await shop.deliver(*(product_created(number, opening_quantity=number) for number in range(1, 121)))
    page = await shop.admin.get("/stock-levels", page_size=100, page=2)
    assert page["total"] == 120
    assert page["items"][-1]["on_hand"] == 120
    await shop.require_integrity()


async def test_product_events_out_of_order_keep_latest_state(shop: Shop, product_created: ProductEvent) -> None:
    created = product_created(1, opening_quantity=10)
    newer = ProductUpdated.model_validate(created.model_dump() | {"version": 3, "unit_price": "30"})
    older = ProductUpdated.model_validate(created.model_dump() | {"version": 2, "unit_price": "20"})
    await shop.deliver(newer)
    await shop.deliver(created, older)
    assert (await shop.admin.post("/sales", {"product": 1, "quantity": 1}))["total"] == "30.00"


async def test_request_for_new_product_waits_for_its_event(shop: Shop, product_created: ProductEvent) -> None:
    body = {"sku": "NEW", "movement_type": "in", "quantity": 5}
    posting = asyncio.create_task(shop.admin.post("/stock-movements", body))
    await asyncio.sleep(0.3)
    assert not posting.done()
    await shop.deliver(product_created(1, sku="NEW"))
    assert (await posting)["balance"] == 5


async def test_request_for_new_product_waits_for_event_of_other_replica(
    start_shop: StartShop, product_created: ProductEvent
) -> None:
    here, there = await start_shop(), await start_shop()
    body = {"product_id": 1, "movement_type": "in", "quantity": 5}
    posting = asyncio.create_task(here.admin.post("/stock-movements", body))
    await asyncio.sleep(0.3)
    await there.deliver(product_created(1))
    assert (await posting)["balance"] == 5


async def test_request_for_unknown_product_fails_after_two_seconds(shop: Shop) -> None:
    started = asyncio.get_running_loop().time()
    problem = await shop.admin.expect_problem(404, "/sales", {"product": "NOBODY", "quantity": 1})
    assert problem["code"] == "unknown_product"
    assert 1.9 < asyncio.get_running_loop().time() - started < 30


async def test_deleted_product_is_unknown_and_its_sku_is_free(shop: Shop, product_created: ProductEvent) -> None:
    created = product_created(1, sku="TEA", opening_quantity=10)
    await shop.deliver(created)
    await shop.deliver(ProductDeleted.model_validate(created.model_dump() | {"version": 2, "deleted": True}))
    problem: dict[str, Any] = await shop.admin.expect_problem(404, "/sales", {"product": 1, "quantity": 1})
    assert problem["code"] == "unknown_product"
    await shop.deliver(product_created(2, sku="tea", opening_quantity=3))
    assert (await shop.admin.post("/sales", {"product": "TEA", "quantity": 1}))["lines"][0]["product_id"] == 2


async def test_product_with_excessive_opening_quantity_is_replicated(shop: Shop) -> None:
    tea = await shop.product(999_999_999_999)
    assert (await shop.admin.get("/stock-levels", product_id=tea))["items"] == []
    assert (await shop.admin.post("/stock-movements", {"product_id": tea, "movement_type": "in", "quantity": 1}))["id"]


async def test_republished_product_completes_the_copy_of_an_earlier_release(
    shop: Shop, product_created: ProductEvent, database: asyncpg.Connection
) -> None:
    """That release did not store since when a product is inactive."""
    inactive = product_created(1, opening_quantity=5, is_active=False)
    await shop.deliver(inactive)
    await database.execute("UPDATE product SET inactive_since = NULL")
    await shop.admin.post("/sales", {"product": 1, "quantity": 1})
    await shop.deliver(ProductRepublished.model_validate(inactive.model_dump()))
    problem = await shop.admin.expect_problem(409, "/sales", {"product": 1, "quantity": 1})
    assert problem["code"] == "product_inactive"
