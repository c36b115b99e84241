"""Inactive products are neither sold nor purchased nor alerted about; all other movements remain possible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from stockbuddy.contracts.catalog import ProductDeleted, ProductUpdated, SupplierCreated

if TYPE_CHECKING:
    from services.stock.tests.conftest import ProductEvent, Shop


async def deactivate(shop: Shop, event: ProductEvent, product_id: int, **values: Any) -> None:
    state = event(product_id, version=2, is_active=False, updated_at="2026-05-01T00:00:00Z", **values)
    await shop.deliver(ProductUpdated.model_validate(state.model_dump()))


def paths(product_id: int) -> list[tuple[str, dict[str, Any]]]:
    line = {"product_id": product_id, "quantity": 1}
    costed = {**line, "unit_cost": "1"}
    return [
        ("/sales", line),
        ("/reservations", {"lines": [line]}),
        ("/purchase-orders", {"supplier_id": 7, "lines": [costed]}),
        ("/reorder-suggestions/order", {"lines": [{**costed, "supplier_id": 7}]}),
    ]


@pytest.mark.parametrize("number", range(4))
async def test_new_sale_or_purchase_is_refused(shared_shop: Shop, product_created: ProductEvent, number: int) -> None:
    shop, tea = shared_shop, await shared_shop.product(10)
    await shop.deliver(SupplierCreated(supplier_id=7, version=1, name="Leaf & Co"))
    path, body = paths(tea)[number]
    await shop.admin.post(path, body)
    await deactivate(shop, product_created, tea)
    problem = await shop.admin.expect_problem(409, path, body)
    assert (problem["code"], problem["skus"]) == ("product_inactive", [f"SKU-{tea}"])


async def test_draft_order_is_not_placed_while_a_product_is_inactive(
    shared_shop: Shop, product_created: ProductEvent
) -> None:
    shop, tea, mug = shared_shop, await shared_shop.product(), await shared_shop.product()
    await shop.deliver(SupplierCreated(supplier_id=7, version=1, name="Leaf & Co"))
    lines = [{"product_id": product, "quantity": 1, "unit_cost": "1"} for product in (mug, tea)]
    drafts = [await shop.admin.post("/purchase-orders", {"supplier_id": 7, "lines": lines}) for _ in range(2)]
    placed, draft = (f"/purchase-orders/{draft['id']}" for draft in drafts)
    await shop.admin.post(f"{placed}/order")
    await deactivate(shop, product_created, tea)
    problem = await shop.admin.expect_problem(409, f"{draft}/order")
    assert (problem["code"], problem["skus"]) == ("product_inactive", [f"SKU-{tea}"])
    assert (await shop.admin.get(draft))["status"] == "draft"
    await shop.admin.post(f"{placed}/receive")
    assert (await shop.admin.get(placed))["status"] == "received"


async def test_documents_from_before_are_completed(shared_shop: Shop, product_created: ProductEvent) -> None:
    """Also a sale of a till that was offline while the product became inactive."""
    shop, tea = shared_shop, await shared_shop.product(10)
    sale = await shop.admin.post("/sales", {"product": tea, "quantity": 1})
    held = await shop.admin.post("/reservations", {"lines": [{"product_id": tea, "quantity": 2}]})
    await deactivate(shop, product_created, tea)
    await shop.admin.post(f"/reservations/{held['id']}/commit", {"as": "sale"})
    await shop.admin.post(f"/sales/{sale['id']}/returns", {"lines": [{"product_id": tea, "quantity": 1}]})
    offline = {"product": tea, "quantity": 1, "occurred_at": "2026-04-30T23:59:59Z"}
    batch = await shop.admin.post(
        "/sales/batch", {"sales": [offline, offline | {"occurred_at": "2026-05-01T00:00:00Z"}]}
    )
    assert [result["status"] for result in batch["results"]] == ["posted", "rejected"]
    write_off = {"product_id": tea, "movement_type": "damaged", "quantity": 1}
    await shop.admin.post("/stock-movements", write_off)
    count = await shop.admin.post("/stock-counts", {"product_ids": [tea]})
    lines = [{"product_id": tea, "counted": 3}]
    await shop.admin.post(f"/stock-counts/{count['id']}/lines", {"lines": lines})
    await shop.admin.post(f"/stock-counts/{count['id']}/approve")
    assert await shop.on_hand(tea) == 3


@pytest.mark.parametrize("by", ["product_id", "sku"])
async def test_offline_sale_from_before_a_deletion_arrives(
    shared_shop: Shop, product_created: ProductEvent, by: str
) -> None:
    shop, tea = shared_shop, await shared_shop.product(10)
    deleted = product_created(tea, version=2, deleted=True, updated_at="2026-05-01T00:00:00Z")
    await shop.deliver(ProductDeleted.model_validate(deleted.model_dump()))
    sale = {by: tea if by == "product_id" else f"sku-{tea}", "quantity": 1}
    moments = ("2026-04-30T23:59:59Z", "2026-05-01T00:00:00Z")
    batch = await shop.admin.post("/sales/batch", {"sales": [sale | {"occurred_at": moment} for moment in moments]})
    assert [result["status"] for result in batch["results"]] == ["posted", "rejected"]
    assert batch["results"][1]["problem"]["code"] == "unknown_product"
    await shop.admin.expect_problem(404, "/sales", sale)


async def test_alerts_and_suggestions_stop_until_it_is_active_again(
    shared_shop: Shop, product_created: ProductEvent
) -> None:
    shop, tea = shared_shop, await shared_shop.product(10, low_stock_threshold=8)
    out = {"product_id": tea, "movement_type": "out", "quantity": 5}
    await deactivate(shop, product_created, tea, low_stock_threshold=8)
    await shop.admin.post("/stock-movements", out)
    await shop.wait_until_published()
    assert [event for event in shop.bus.events("stock.level.low") if event["product_id"] == tea] == []
    assert (await shop.admin.get("/reorder-suggestions", product_id=tea))["items"] == []
    active = product_created(tea, version=3, low_stock_threshold=8)
    await shop.deliver(ProductUpdated.model_validate(active.model_dump()))
    await shop.admin.post("/stock-movements", out | {"quantity": 1})
    await shop.wait_until_published()
    assert [event["on_hand"] for event in shop.bus.events("stock.level.low") if event["product_id"] == tea] == [4]
    assert len((await shop.admin.get("/reorder-suggestions", product_id=tea))["items"]) == 1


async def test_product_of_an_open_count_is_counted_after_its_deletion(
    shared_shop: Shop, product_created: ProductEvent
) -> None:
    shop, tea = shared_shop, await shared_shop.product(10)
    count = await shop.admin.post("/stock-counts", {"product_ids": [tea]})
    deleted = product_created(tea, version=2, deleted=True)
    await shop.deliver(ProductUpdated.model_validate(deleted.model_dump()))
    lines = [{"product_id": tea, "counted": 9}]
    await shop.admin.post(f"/stock-counts/{count['id']}/lines", {"lines": lines})
    approved = await shop.admin.post(f"/stock-counts/{count['id']}/approve")
    assert approved["lines"][0]["difference"] == -1
