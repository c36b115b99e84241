"""Stock counts: expected quantities, entries, approval; goods that move meanwhile are taken into account."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from services.stock.tests.conftest import Caller, Shop


async def enter(caller: Caller, count: dict[str, Any], *lines: dict[str, Any]) -> dict[str, Any]:
    response = await caller.call("PUT", f"/stock-counts/{count['id']}/lines", json={"lines": lines})
    assert response.status_code == 200, response.text
    entered: dict[str, Any] = response.json()
    return entered


async def move(shop: Shop, product_id: int, quantity: float, **values: Any) -> None:
    """Receive goods, or issue them if the quantity is negative."""
    kind = "in" if quantity > 0 else "out"
    body = {"product_id": product_id, "movement_type": kind, "quantity": abs(quantity), **values}
    await shop.admin.post("/stock-movements", body)


async def test_count_is_opened_entered_and_approved(shop: Shop) -> None:
    tea, cup, pot = await shop.product(10), await shop.product(5), await shop.product(3)
    count = await shop.admin.post("/stock-counts", {"notes": "year's end"})
    assert (count["status"], count["notes"], count["created_by"]) == ("open", "year's end", 1)
    assert [(line["product_id"], line["expected"], line["counted"]) for line in count["lines"]] == [
        (tea, 10, None),
        (cup, 5, None),
        (pot, 3, None),
    ]
    await enter(shop.caller(1), count, {"product_id": tea, "counted": 8}, {"product_id": cup, "counted": 5})
    approved = await shop.admin.post(f"/stock-counts/{count['id']}/approve")
    lines = {line["product_id"]: line for line in approved["lines"]}
    assert approved["status"] == "approved"
    assert [lines[product]["difference"] for product in (tea, cup, pot)] == [-2, 0, None]
    assert [await shop.on_hand(product) for product in (tea, cup, pot)] == [8, 5, 3]
    [movement] = (await shop.admin.get("/stock-movements", document=f"stock_count/{count['id']}"))["items"]
    assert (movement["id"], movement["movement_type"]) == (lines[tea]["movement_id"], "adjustment")
    assert movement["reference_number"] == count["number"]
    assert await shop.admin.get(f"/stock-counts/{count['id']}") == approved
    await shop.require_integrity()
    [event] = await shop.wait_for_events(1, "stock.count.approved")
    assert [(line["product_id"], line["difference"]) for line in event["lines"]] == [(tea, -2)]


async def test_quantity_is_counted_when_it_is_entered(shop: Shop) -> None:
    """Goods that moved before are counted; those that move later are added."""
    tea = await shop.product(10)
    count = await shop.admin.post("/stock-counts", {"product_ids": [tea]})
    await shop.admin.post("/sales", {"product": tea, "quantity": 3})
    entered = await enter(shop.admin, count, {"product_id": tea, "counted": 7})
    assert entered["lines"][0]["expected"] == 7
    await move(shop, tea, +5)
    approved = await shop.admin.post(f"/stock-counts/{count['id']}/approve")
    assert (approved["lines"][0]["difference"], await shop.on_hand(tea)) == (0, 12)
    await shop.require_integrity()


@pytest.mark.parametrize("is_concurrent", [False, True])
async def test_corrections_of_two_counts_are_not_added(shop: Shop, is_concurrent: bool) -> None:
    """Both find 8 of 10, whichever is approved first."""
    tea = await shop.product(10)
    counts = [await shop.admin.post("/stock-counts", {}) for _ in range(2)]
    for count in counts:
        await enter(shop.admin, count, {"product_id": tea, "counted": 8})
    paths = [f"/stock-counts/{count['id']}/approve" for count in counts]
    if is_concurrent:
        await asyncio.gather(*map(shop.admin.post, paths))
    else:
        for path in paths:
            await shop.admin.post(path)
    assert await shop.on_hand(tea) == 8
    await shop.require_integrity()


async def test_correction_between_count_and_approval_is_replaced(shop: Shop) -> None:
    """An adjustment, and the reversal of an entry that had never happened, move no goods."""
    tea = await shop.product(10)
    wrong = await shop.admin.post("/stock-movements", {"product_id": tea, "movement_type": "in", "quantity": 4})
    count = await shop.admin.post("/stock-counts", {})
    await enter(shop.admin, count, {"product_id": tea, "counted": 9})
    await shop.admin.post(f"/stock-movements/{wrong['id']}/reverse")
    later = await shop.admin.post("/stock-movements", {"product_id": tea, "movement_type": "out", "quantity": 2})
    await shop.admin.post(f"/stock-movements/{later['id']}/reverse")
    await shop.admin.post("/stock-movements", {"product_id": tea, "movement_type": "adjustment", "quantity": -3})
    sale = await shop.admin.post("/sales", {"product": tea, "quantity": 1})
    await shop.admin.post(f"/sales/{sale['id']}/void")
    await move(shop, tea, -1)
    await shop.admin.post(f"/stock-counts/{count['id']}/approve")
    assert await shop.on_hand(tea) == 8


async def test_sale_from_before_the_count_that_arrives_later_is_counted(shop: Shop) -> None:
    tea = await shop.product(10)
    count = await shop.admin.post("/stock-counts", {})
    sold_at = datetime.now(UTC).isoformat()
    await enter(shop.admin, count, {"product_id": tea, "counted": 8})
    await shop.admin.post("/sales", {"product": tea, "quantity": 2, "occurred_at": sold_at})
    await shop.admin.post(f"/stock-counts/{count['id']}/approve")
    assert await shop.on_hand(tea) == 8


async def test_movement_before_counted_at_is_part_of_the_expected_quantity(shop: Shop) -> None:
    tea = await shop.product(10)
    count = await shop.admin.post("/stock-counts", {"products": [tea]})
    await move(shop, tea, -3)
    seen_at = datetime.now(UTC).isoformat()
    await move(shop, tea, -1)
    entered = await enter(shop.admin, count, {"product_id": tea, "counted": 7, "counted_at": seen_at})
    assert entered["lines"][0]["expected"] == 7
    again = await enter(shop.admin, count, {"product_id": tea, "counted": 6, "counted_at": seen_at})
    assert again["lines"][0]["expected"] == 7
    await shop.admin.post(f"/stock-counts/{count['id']}/approve")
    assert await shop.on_hand(tea) == 10 - 3 - 1 - 1


async def test_counted_product_without_stock_is_added(shop: Shop) -> None:
    tea, found = await shop.product(10), await shop.product(sku="LOST")
    count = await shop.admin.post("/stock-counts", {})
    entered = await enter(shop.admin, count, {"sku": "lost", "counted": 4}, {"product_id": tea, "counted": 2, "lot": 7})
    assert [(line["product_id"], line["lot"], line["expected"]) for line in entered["lines"]] == [
        (found, 0, 0), (tea, 0, 10), (tea, 7, 0),
    ]  # fmt: skip
    await shop.admin.post(f"/stock-counts/{count['id']}/approve")
    assert (await shop.on_hand(found), await shop.on_hand(tea)) == (4, 12)


async def test_counted_null_deletes_the_entry(shop: Shop) -> None:
    tea = await shop.product(10)
    count = await shop.admin.post("/stock-counts", {})
    await enter(shop.admin, count, {"product_id": tea, "counted": 1})
    taken_back = await enter(shop.admin, count, {"product_id": tea, "counted": None})
    assert (taken_back["lines"][0]["counted"], taken_back["lines"][0]["counted_by"]) == (None, None)
    await shop.admin.post(f"/stock-counts/{count['id']}/approve")
    assert await shop.on_hand(tea) == 10


async def test_approval_with_insufficient_stock_is_refused_entirely(shop: Shop) -> None:
    tea, cup = await shop.product(10), await shop.product(5)
    count = await shop.admin.post("/stock-counts", {})
    await enter(shop.admin, count, {"product_id": tea, "counted": 2}, {"product_id": cup, "counted": 6})
    await move(shop, tea, -5)
    problem = await shop.admin.expect_problem(409, f"/stock-counts/{count['id']}/approve")
    assert problem["shortages"][0]["requested"] == 8
    assert await shop.on_hand(cup) == 5
    assert (await shop.admin.get(f"/stock-counts/{count['id']}"))["status"] == "open"


async def test_concurrent_approvals_post_once(shop: Shop) -> None:
    tea = await shop.product(10)
    count = await shop.admin.post("/stock-counts", {})
    await enter(shop.admin, count, {"product_id": tea, "counted": 9})
    path = f"/stock-counts/{count['id']}/approve"
    responses = await asyncio.gather(*(shop.admin.call("POST", path) for _ in range(8)))
    assert sorted(response.status_code for response in responses) == [200] + [409] * 7
    assert await shop.on_hand(tea) == 9
    await shop.admin.expect_problem(409, f"/stock-counts/{count['id']}/cancel")
    body = {"lines": [{"product_id": tea, "counted": 1}]}
    problem = await shop.admin.expect_problem(409, f"/stock-counts/{count['id']}/lines", body, method="PUT")
    assert problem["state"] == "approved"


async def test_cancelled_count_cannot_be_changed(shop: Shop) -> None:
    tea = await shop.product(10)
    count = await shop.admin.post("/stock-counts", {})
    await enter(shop.admin, count, {"product_id": tea, "counted": 1})
    cancelled = await shop.admin.post(f"/stock-counts/{count['id']}/cancel")
    assert cancelled["status"] == "cancelled"
    await shop.admin.expect_problem(409, f"/stock-counts/{count['id']}/approve")
    assert await shop.on_hand(tea) == 10


async def test_salesperson_counts_only_owned_products(shop: Shop) -> None:
    own, foreign = [await shop.product(5, owner_id=owner, category_id=3, category="Tea") for owner in (7, 8)]
    count = await shop.caller(7).post("/stock-counts", {"category": "tea"})
    assert [line["product_id"] for line in count["lines"]] == [own]
    problem = await shop.caller(7).expect_problem(403, "/stock-counts", {"product_ids": [foreign]})
    assert problem["code"] == "not_owner"
    await enter(shop.caller(7), count, {"product_id": own, "counted": 4})
    body = {"lines": [{"product_id": foreign, "counted": 4}]}
    await shop.caller(7).expect_problem(403, f"/stock-counts/{count['id']}/lines", body, method="PUT")
    await shop.caller(8).expect_problem(403, f"/stock-counts/{count['id']}/approve")
    await shop.caller(7).post(f"/stock-counts/{count['id']}/approve")
    assert await shop.on_hand(own) == 4


async def test_count_list_is_filtered(shop: Shop) -> None:
    tea, annex = await shop.product(10), await shop.warehouse("ANNEX")
    first = await shop.admin.post("/stock-counts", {})
    second = await shop.admin.post("/stock-counts", {"warehouse_id": annex})
    assert second["lines"] == []

    async def found(**chosen: Any) -> list[int]:
        return [count["id"] for count in (await shop.admin.get("/stock-counts", **chosen))["items"]]

    assert await found() == [second["id"], first["id"]]
    assert await found(warehouse_id=annex) == [second["id"]]
    assert await found(product_id=tea) == [first["id"]]
    assert await found(status="approved") == []
    await shop.admin.expect_problem(404, "/stock-counts/999", method="GET")
