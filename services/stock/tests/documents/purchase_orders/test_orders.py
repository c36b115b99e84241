"""Purchase orders: drafts, placement and cancellation, and their incoming stock."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from stockbuddy.chassis.access.roles import Role
from stockbuddy.contracts.catalog import SupplierCreated, SupplierDeleted, SupplierUpdated

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop
    from services.stock.tests.documents.purchase_orders.conftest import Order


async def incoming(shop: Shop, product_id: int) -> dict[str, Any]:
    """Incoming quantity by warehouse."""
    levels = (await shop.admin.get("/stock-levels", product_id=product_id))["items"]
    return {level["warehouse_code"]: level["incoming"] for level in levels}


async def test_draft_order_has_a_total_and_is_not_incoming(shop: Shop, supplier: int) -> None:
    tea = await shop.product(3, sku="TEA", cost_price="1.25")
    cup = await shop.product(sku="CUP")
    body = {
        "supplier_id": supplier,
        "lines": [{"sku": "tea", "quantity": 10.5}, {"product_id": cup, "quantity": 3, "unit_cost": "0.3333"}],
        "reference": "Q-17",
        "expected_at": "2026-04-01T00:00:00+02:00",
    }
    response = await shop.admin.call("POST", "/purchase-orders", json=body)
    assert response.status_code == 201, response.text
    draft = response.json()
    assert (draft["status"], draft["supplier"], draft["number"]) == ("draft", "Leaf & Co", f"PO-{draft['id']:06}")
    assert (draft["total"], draft["received_total"], draft["expected_at"]) == (
        "14.13",
        "0.00",
        "2026-03-31T22:00:00Z",
    )
    assert [(line["sku"], line["unit_cost"], line["total"]) for line in draft["lines"]] == [
        ("TEA", "1.25", "13.13"),
        ("CUP", "0.3333", "1.00"),
    ]
    assert await incoming(shop, tea) == {"MAIN": 0}
    assert await shop.admin.get(f"/purchase-orders/{draft['id']}") == draft
    assert (await shop.admin.get("/purchase-orders", status="draft", search="leaf"))["items"] == [draft]
    assert (await shop.admin.get("/purchase-orders", product_id=cup))["total"] == 1
    assert (await shop.admin.get("/purchase-orders", status="ordered"))["total"] == 0
    assert (await shop.wait_for_events(1, "stock.purchase.drafted"))[0] == draft


async def test_order_can_be_updated_only_as_a_draft(shop: Shop, supplier: int) -> None:
    tea, cup = await shop.product(), await shop.product()
    await shop.deliver(SupplierCreated(supplier_id=8, version=1, name="Mugs Ltd"))
    body = {"supplier_id": supplier, "lines": [{"product_id": tea, "quantity": 1, "unit_cost": 2}], "notes": "soon"}
    draft = await shop.admin.post("/purchase-orders", body)
    path = f"/purchase-orders/{draft['id']}"
    changes = {"supplier_id": 8, "lines": [{"product_id": cup, "quantity": 4, "unit_cost": "2.50"}], "notes": None}
    response = await shop.admin.call("PATCH", path, json=changes, headers={"If-Match": '"1"'})
    changed = response.json()
    assert (response.status_code, changed["version"], response.headers["etag"]) == (200, 2, '"2"')
    assert (changed["supplier"], changed["total"], changed["notes"]) == ("Mugs Ltd", "10.00", None)
    assert [line["product_id"] for line in changed["lines"]] == [cup]
    assert await shop.admin.get(path) == changed
    assert (await shop.wait_for_events(1, "stock.purchase.updated"))[0] == changed
    stale = await shop.admin.call("PATCH", path, json={"notes": "x"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    await shop.admin.post(f"{path}/order")
    assert (await shop.admin.expect_problem(409, path, {"notes": "x"}, method="PATCH"))["code"] == "invalid_state"


async def test_placed_order_is_incoming_until_cancelled(shop: Shop, order: Order) -> None:
    tea = await shop.product(sku="TEA")
    north = await shop.warehouse("NORTH")
    first = await order((tea, 5, "1"), (tea, 2.5, "1.5"))
    await order((tea, 4, "1"), warehouse_id=north)
    assert await incoming(shop, tea) == {"MAIN": 7.5, "NORTH": 4}
    assert (first["status"], first["version"], [line["outstanding"] for line in first["lines"]]) == (
        "ordered",
        2,
        [5, 2.5],
    )
    assert first["ordered_at"] is not None
    cancelled = await shop.admin.post(f"/purchase-orders/{first['id']}/cancel")
    assert (cancelled["status"], cancelled["version"]) == ("cancelled", 3)
    assert (await incoming(shop, tea)).get("MAIN", 0) == 0
    assert (await incoming(shop, tea))["NORTH"] == 4
    assert await shop.on_hand(tea) == 0
    assert first["id"] in {event["id"] for event in await shop.wait_for_events(2, "stock.purchase.ordered")}
    assert (await shop.wait_for_events(1, "stock.purchase.cancelled"))[0] == cancelled
    await shop.require_integrity()


async def test_order_step_in_the_wrong_state_is_refused(shop: Shop, supplier: int, order: Order) -> None:
    tea = await shop.product()
    body = {"supplier_id": supplier, "lines": [{"product_id": tea, "quantity": 1, "unit_cost": 2}]}
    draft = f"/purchase-orders/{(await shop.admin.post('/purchase-orders', body))['id']}"
    assert (await shop.admin.expect_problem(409, f"{draft}/receive", {}))["state"] == "draft"
    await shop.admin.post(f"{draft}/cancel")
    for step in ("order", "receive", "cancel"):
        assert (await shop.admin.expect_problem(409, f"{draft}/{step}", {} if step == "receive" else None))[
            "code"
        ] == "invalid_state"
    placed = f"/purchase-orders/{(await order((tea, 1, '2')))['id']}"
    await shop.admin.expect_problem(409, f"{placed}/order")
    await shop.admin.expect_problem(404, "/purchase-orders/999/order")


async def test_concurrent_placements_take_effect_once(shop: Shop, supplier: int) -> None:
    tea = await shop.product()
    body = {"supplier_id": supplier, "lines": [{"product_id": tea, "quantity": 3, "unit_cost": 2}]}
    drafts = [await shop.admin.post("/purchase-orders", body, key="one") for _ in range(2)]
    assert drafts[0] == drafts[1]
    path = f"/purchase-orders/{drafts[0]['id']}/order"
    responses = await asyncio.gather(*(shop.admin.call("POST", path) for _ in range(10)))
    assert Counter(response.status_code for response in responses) == {200: 1, 409: 9}
    assert await incoming(shop, tea) == {"MAIN": 3}
    await shop.wait_until_published()
    assert len(shop.bus.events("stock.purchase.ordered")) == 1


async def test_malformed_order_is_rejected(shop: Shop, supplier: int) -> None:
    tea = await shop.product()
    line = {"product_id": tea, "quantity": 1, "unit_cost": 2}
    problem = await shop.admin.expect_problem(
        422, "/purchase-orders", {"supplier_id": supplier, "lines": [{**line, "unit_cost": None}]}
    )
    assert problem["errors"][0]["field"] == "lines.0.unit_cost"
    wrongs: list[dict[str, Any]] = [
        {"lines": []},
        {"lines": [{**line, "quantity": 0}]},
        {"lines": [{**line, "unit_cost": "-1"}]},
        {"x": 1},
    ]
    for wrong in wrongs:
        await shop.admin.expect_problem(422, "/purchase-orders", {"supplier_id": supplier, "lines": [line], **wrong})
    huge = [{**line, "quantity": 999_999_999, "unit_cost": "99999"}] * 2
    assert (await shop.admin.expect_problem(422, "/purchase-orders", {"supplier_id": supplier, "lines": huge}))[
        "errors"
    ]
    unknown = await shop.admin.expect_problem(404, "/purchase-orders", {"supplier_id": 99, "lines": [line]})
    assert unknown["code"] == "unknown_supplier"
    missing = await shop.admin.expect_problem(
        404, "/purchase-orders", {"supplier_id": supplier, "lines": [{**line, "product_id": 999}]}
    )
    assert missing["code"] == "unknown_product"


async def test_order_waits_for_a_new_supplier_and_rejects_a_deleted_one(shop: Shop) -> None:
    tea = await shop.product()
    body = {"supplier_id": 5, "lines": [{"product_id": tea, "quantity": 1, "unit_cost": 2}]}
    asked = asyncio.create_task(shop.admin.post("/purchase-orders", body))
    await shop.deliver(SupplierUpdated(supplier_id=5, version=2, name="New name"))
    await shop.deliver(SupplierCreated(supplier_id=5, version=1, name="Old name"))
    assert (await asked)["supplier"] == "New name"
    await shop.deliver(SupplierDeleted(supplier_id=5, version=3, name="New name", deleted=True))
    assert (await shop.admin.expect_problem(404, "/purchase-orders", body))["code"] == "unknown_supplier"


async def test_order_access_is_limited_to_managers_and_their_warehouses(
    shop: Shop, supplier: int, order: Order
) -> None:
    tea = await shop.product(owner_id=5)
    north = await shop.warehouse("NORTH")
    placed = await order((tea, 1, "1"))
    body = {"supplier_id": supplier, "lines": [{"product_id": tea, "quantity": 1, "unit_cost": 2}]}
    seller, manager = shop.caller(5), shop.caller(6, Role.MANAGER, warehouse_ids=[north])
    assert (await seller.call("GET", "/purchase-orders")).status_code == 403
    for path in ("", f"/{placed['id']}/order", f"/{placed['id']}/receive", f"/{placed['id']}/cancel"):
        await seller.expect_problem(403, f"/purchase-orders{path}", body if not path else None)
    assert (await manager.expect_problem(403, "/purchase-orders", body))["code"] == "warehouse_forbidden"
    for step in ("receive", "cancel"):
        await manager.expect_problem(403, f"/purchase-orders/{placed['id']}/{step}")
    await manager.post("/purchase-orders", body | {"warehouse_code": "north"})
