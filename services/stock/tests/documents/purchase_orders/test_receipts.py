"""Receipts: in parts, never more than ordered unless allowed, each at its own cost."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from stockbuddy.contracts.catalog import SupplierCreated

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop, StartShop
    from services.stock.tests.documents.purchase_orders.conftest import Order


async def test_partial_receipt_updates_average_cost_and_keeps_the_rest_incoming(shop: Shop, order: Order) -> None:
    tea = await shop.product(10, sku="TEA", cost_price="2.00")
    cup = await shop.product(sku="CUP")
    placed = await order((tea, 30, "4.00"), (cup, 5, "0.50"))
    path = f"/purchase-orders/{placed['id']}"
    body = {"lines": [{"sku": "tea", "quantity": 20}], "notes": "first van", "occurred_at": "2026-02-01T10:00:00Z"}
    received = await shop.admin.post(f"{path}/receive", body)
    assert (received["status"], received["version"], received["received_total"]) == ("partially_received", 3, "80.00")
    assert [(line["received"], line["outstanding"]) for line in received["lines"]] == [(20, 10), (0, 5)]
    level = await shop.level(tea)
    assert (level["on_hand"], level["incoming"], level["average_cost"]) == (30, 10, "3.3333")
    movement = (await shop.admin.get("/stock-movements", document=f"purchase_order/{placed['id']}"))["items"][0]
    assert (movement["movement_type"], movement["quantity"], movement["unit_cost"]) == ("purchase", 20, "4.00")
    assert (movement["id"], movement["occurred_at"]) == (received["receipt"][0]["movement_id"], "2026-02-01T10:00:00Z")
    assert movement["reference_number"] == placed["number"]
    rest = await shop.admin.post(f"{path}/receive", {"lines": [{"product_id": tea, "quantity": 10, "unit_cost": "5"}]})
    assert rest["status"] == "partially_received"
    assert (await shop.level(tea))["average_cost"] == "3.75"
    final = await shop.admin.post(f"{path}/receive")
    assert (final["status"], final["received_total"]) == ("received", "132.50")
    assert final["received_at"] is not None
    assert (await shop.level(cup))["incoming"] == 0
    receipts = await shop.admin.get(f"{path}/receipts")
    assert [[(line["sku"], line["quantity"], line["unit_cost"]) for line in made["lines"]] for made in receipts] == [
        [("TEA", 20, "4.00")],
        [("TEA", 10, "5.00")],
        [("CUP", 5, "0.50")],
    ]
    assert (receipts[0]["notes"], receipts[0]["performed_by"]) == ("first van", 1)
    events = await shop.wait_for_events(3, "stock.purchase.received")
    assert events[0] == received
    assert await shop.admin.get(path) == {k: v for k, v in final.items() if k not in ("receipt", "receipt_id")}
    await shop.require_integrity()


async def test_over_receipt_is_refused_unless_allowed(shop: Shop, order: Order) -> None:
    tea, cup = await shop.product(), await shop.product()
    placed = await order((tea, 3, "1"), (cup, 2, "1"), (tea, 4, "2"))
    path = f"/purchase-orders/{placed['id']}/receive"
    lines = [{"product_id": cup, "quantity": 2}, {"product_id": tea, "quantity": 8}]
    problem = await shop.admin.expect_problem(409, path, {"lines": lines})
    assert (problem["code"], problem["lines"]) == (
        "over_receipt",
        [{"product_id": tea, "requested": 8, "receivable": 7}],
    )
    assert await shop.on_hand(cup) == 0
    received = await shop.admin.post(path, {"lines": lines, "allow_over_receipt": True})
    assert [(line["received"], line["outstanding"]) for line in received["lines"]] == [(3, 0), (2, 0), (5, 0)]
    assert (received["status"], received["received_total"]) == ("received", "15.00")
    assert (await shop.admin.expect_problem(409, path, {"lines": lines[:1]}))["state"] == "received"
    assert (await shop.admin.expect_problem(409, path))["code"] == "invalid_state"
    late = await shop.admin.post(
        path, {"lines": [{"line_id": placed["lines"][1]["id"], "quantity": 0.5}], "allow_over_receipt": True}
    )
    assert [line["received"] for line in late["lines"]] == [3, 2.5, 5]
    assert (await shop.on_hand(tea), await shop.on_hand(cup)) == (8, 2.5)


async def test_receipt_of_unordered_lines_is_rejected(shop: Shop, order: Order) -> None:
    tea, cup = await shop.product(), await shop.product()
    path = f"/purchase-orders/{(await order((tea, 3, '1')))['id']}/receive"
    problem = await shop.admin.expect_problem(422, path, {"lines": [{"product_id": cup, "quantity": 1}]})
    assert problem["code"] == "not_in_purchase_order"
    for lines in ([], [{"product_id": tea}], [{"quantity": 1}], [{"product_id": tea, "sku": "x", "quantity": 1}]):
        await shop.admin.expect_problem(422, path, {"lines": lines})


async def test_cancelling_a_partially_received_order_keeps_received_stock(shop: Shop, order: Order) -> None:
    tea = await shop.product()
    path = f"/purchase-orders/{(await order((tea, 9, '1')))['id']}"
    await shop.admin.post(f"{path}/receive", {"lines": [{"product_id": tea, "quantity": 4}]})
    cancelled = await shop.admin.post(f"{path}/cancel")
    assert [(line["received"], line["outstanding"]) for line in cancelled["lines"]] == [(4, 0)]
    assert [(level["on_hand"], level["incoming"]) for level in [await shop.level(tea)]] == [(4, 0)]
    await shop.admin.expect_problem(409, f"{path}/receive", {"allow_over_receipt": True})


async def test_concurrent_receipts_never_exceed_the_order(start_shop: StartShop) -> None:
    shops = [await start_shop(), await start_shop()]
    tea = await shops[0].product()
    await shops[0].deliver(SupplierCreated(supplier_id=7, version=1, name="Leaf"))
    body = {"supplier_id": 7, "lines": [{"product_id": tea, "quantity": 25, "unit_cost": "1.10"}]}
    path = f"/purchase-orders/{(await shops[0].admin.post('/purchase-orders', body))['id']}"
    await shops[1].admin.post(f"{path}/order")

    async def receive(number: int) -> Any:
        line = {"lines": [{"product_id": tea, "quantity": 1}]}
        return await shops[number % 2].admin.call("POST", f"{path}/receive", json=line)

    responses = await asyncio.gather(*(receive(n) for n in range(40)))
    assert Counter(response.status_code for response in responses) == {200: 25, 409: 15}
    now = await shops[0].admin.get(path)
    assert (now["status"], now["version"], now["received_total"]) == ("received", 27, "27.50")
    assert await shops[0].on_hand(tea) == 25
    assert len(await shops[0].admin.get(f"{path}/receipts")) == 25
    await shops[0].require_integrity()


async def test_receipt_with_a_repeated_key_is_posted_once(shop: Shop, order: Order) -> None:
    tea = await shop.product()
    path = f"/purchase-orders/{(await order((tea, 9, '1')))['id']}/receive"
    body = {"lines": [{"product_id": tea, "quantity": 4}]}
    responses = await asyncio.gather(*(shop.admin.post(path, body, key="van-1") for _ in range(5)))
    assert all(response == responses[0] for response in responses)
    assert await shop.on_hand(tea) == 4


async def test_warehouse_of_an_open_order_is_not_deleted(shop: Shop, order: Order) -> None:
    tea = await shop.product()
    north = await shop.warehouse("NORTH")
    placed = await order((tea, 9, "1"), warehouse_id=north)
    problem = await shop.admin.expect_problem(409, f"/warehouses/{north}", method="DELETE")
    assert [document["number"] for document in problem["documents"]] == [placed["number"]]
    received = await shop.admin.post(f"/purchase-orders/{placed['id']}/receive")
    assert received["status"] == "received"
