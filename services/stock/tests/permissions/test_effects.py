"""The same permission for every path with the same effect (ADR 14): ownership of the product, and the warehouse."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from httpx2 import Response

from stockbuddy.chassis.access.roles import Role
from stockbuddy.contracts.catalog import ProductUpdated, SupplierCreated

if TYPE_CHECKING:
    from services.stock.tests.conftest import Caller, ProductEvent, Shop

OWNER, SELLER = 1, 5
SUPPLIER = SupplierCreated(supplier_id=7, version=1, name="Leaf & Co")
Path = Callable[["Shop", "Caller", int, dict[str, Any]], Awaitable[Response]]
"""Takes the path as a caller with a product and a warehouse reference (empty: the default one). Whatever the path needs
beforehand is done by the admin."""


def line(product_id: int, quantity: float = 1, **values: Any) -> dict[str, Any]:
    return {"product_id": product_id, "quantity": quantity, **values}


def movement(product_id: int, movement_type: str = "out", quantity: float = 1, **values: Any) -> dict[str, Any]:
    return {**line(product_id, quantity), "movement_type": movement_type, **values}


def moved(movement_type: str, quantity: float = 1) -> Path:
    async def take(_: Shop, caller: Caller, product_id: int, where: dict[str, Any]) -> Response:
        body = movement(product_id, movement_type, quantity, **where)
        return await caller.call("POST", "/stock-movements", json=body)

    return take


async def move_in_batch(_: Shop, caller: Caller, product_id: int, where: dict[str, Any]) -> Response:
    return await caller.call("POST", "/stock-movements/batch", json={"movements": [movement(product_id, **where)]})


async def reverse_movement(shop: Shop, caller: Caller, product_id: int, where: dict[str, Any]) -> Response:
    posted = await shop.admin.post("/stock-movements", movement(product_id, "in", **where))
    return await caller.call("POST", f"/stock-movements/{posted['id']}/reverse")


async def set_level(_: Shop, caller: Caller, product_id: int, where: dict[str, Any]) -> Response:
    body = {"product_id": product_id, "quantity": 1, "expected_quantity": None, **where}
    return await caller.call("PUT", "/stock-levels", json=body)


async def transfer_of(shop: Shop, caller: Caller, product_id: int, where: dict[str, Any]) -> Response:
    other = await shop.warehouse(f"OTHER-{product_id}-{caller.headers['Authorization'][-6:]}")
    source = where.get("warehouse_id", await main_id(shop))
    body = {"from_warehouse_id": source, "to_warehouse_id": other, **line(product_id)}
    return await caller.call("POST", "/stock-transfers", json=body)


def transferred(step: str, *before: str) -> Path:
    async def take(shop: Shop, caller: Caller, product_id: int, where: dict[str, Any]) -> Response:
        transfer = (await transfer_of(shop, shop.admin, product_id, where)).json()
        for name in before:
            await shop.admin.post(f"/stock-transfers/{transfer['id']}/{name}")
        return await caller.call("POST", f"/stock-transfers/{transfer['id']}/{step}", json=None)

    return take


async def open_count(_: Shop, caller: Caller, product_id: int, where: dict[str, Any]) -> Response:
    return await caller.call("POST", "/stock-counts", json={"product_ids": [product_id], **where})


async def enter_count(shop: Shop, caller: Caller, product_id: int, where: dict[str, Any]) -> Response:
    count = (await open_count(shop, shop.admin, product_id, where)).json()
    body = {"lines": [{"product_id": product_id, "counted": 1}]}
    return await caller.call("POST", f"/stock-counts/{count['id']}/lines", json=body)


async def approve_count(shop: Shop, caller: Caller, product_id: int, where: dict[str, Any]) -> Response:
    count = (await open_count(shop, shop.admin, product_id, where)).json()
    await shop.admin.post(f"/stock-counts/{count['id']}/lines", {"lines": [{"product_id": product_id, "counted": 1}]})
    return await caller.call("POST", f"/stock-counts/{count['id']}/approve")


async def reserve(_: Shop, caller: Caller, product_id: int, where: dict[str, Any]) -> Response:
    return await caller.call("POST", "/reservations", json={"lines": [line(product_id, **where)]})


def committed(as_: str) -> Path:
    async def take(shop: Shop, caller: Caller, product_id: int, where: dict[str, Any]) -> Response:
        held = (await reserve(shop, caller, product_id, where)).json()
        if "id" not in held:  # refused: the admin's reservation instead
            held = (await reserve(shop, shop.admin, product_id, where)).json()
        return await caller.call("POST", f"/reservations/{held['id']}/commit", json={"as": as_})

    return take


async def release(shop: Shop, caller: Caller, product_id: int, where: dict[str, Any]) -> Response:
    held = (await reserve(shop, shop.admin, product_id, where)).json()
    return await caller.call("POST", f"/reservations/{held['id']}/release")


async def sell(_: Shop, caller: Caller, product_id: int, where: dict[str, Any]) -> Response:
    return await caller.call("POST", "/sales", json={**line(product_id), **where})


async def return_sale(shop: Shop, caller: Caller, product_id: int, where: dict[str, Any]) -> Response:
    sale = (await sell(shop, shop.admin, product_id, where)).json()
    return await caller.call("POST", f"/sales/{sale['id']}/returns", json={"lines": [line(product_id)]})


async def void_sale(shop: Shop, caller: Caller, product_id: int, where: dict[str, Any]) -> Response:
    sale = (await sell(shop, caller, product_id, where)).json()
    if "id" not in sale:  # refused: the admin's sale instead
        sale = (await sell(shop, shop.admin, product_id, where)).json()
    return await caller.call("POST", f"/sales/{sale['id']}/void")


async def supplier(shop: Shop) -> int:
    await shop.deliver(SUPPLIER)
    return SUPPLIER.supplier_id


async def draft_order(shop: Shop, caller: Caller, product_id: int, where: dict[str, Any]) -> Response:
    lines = [line(product_id, unit_cost="1")]
    body = {"supplier_id": await supplier(shop), "lines": lines, **where}
    return await caller.call("POST", "/purchase-orders", json=body)


def ordered(step: str, *before: str) -> Path:
    async def take(shop: Shop, caller: Caller, product_id: int, where: dict[str, Any]) -> Response:
        order = (await draft_order(shop, shop.admin, product_id, where)).json()
        for name in before:
            await shop.admin.post(f"/purchase-orders/{order['id']}/{name}")
        return await caller.call("POST", f"/purchase-orders/{order['id']}/{step}")

    return take


async def order_suggestion(shop: Shop, caller: Caller, product_id: int, where: dict[str, Any]) -> Response:
    lines = [line(product_id, supplier_id=await supplier(shop), unit_cost="1", **where)]
    return await caller.call("POST", "/reorder-suggestions/order", json={"lines": lines})


async def set_rule(_: Shop, caller: Caller, product_id: int, where: dict[str, Any]) -> Response:
    return await caller.call("POST", "/reorder-rules", json={"product_id": product_id, **where})


MOVEMENTS: dict[str, Path] = {
    **{kind: moved(kind) for kind in ("out", "in", "sale", "return", "purchase", "damaged", "transfer_in")},
    "adjustment": moved("adjustment", -1),
    "batch": move_in_batch,
    "reversal": reverse_movement,
    "PUT stock-levels": set_level,
    "transfer": transfer_of,
    "shipment": transferred("ship"),
    "cancelled transfer": transferred("cancel"),
    "count": open_count,
    "counted quantity": enter_count,
    "approved count": approve_count,
    "reservation committed as out": committed("out"),
}
TO_DESTINATION: dict[str, Path] = {
    "receipt of a transfer": transferred("receive", "ship"),
    "completed transfer": transferred("complete"),
}
SALES: dict[str, Path] = {
    "sale": sell,
    "return": return_sale,
    "void": void_sale,
    "reservation": reserve,
    "reservation committed as sale": committed("sale"),
}
PURCHASES: dict[str, Path] = {
    "draft order": draft_order,
    "placed order": ordered("order"),
    "received order": ordered("receive", "order"),
    "cancelled order": ordered("cancel", "order"),
    "order from a suggestion": order_suggestion,
    "reorder rule": set_rule,
}


async def main_id(shop: Shop) -> int:
    pages = await shop.admin.get("/warehouses", search="MAIN")
    warehouse_id: int = pages["items"][0]["id"]
    return warehouse_id


async def movements_by(shop: Shop, product_id: int, user_id: int) -> int:
    page = await shop.admin.get("/stock-movements", product_id=product_id, performed_by=user_id)
    total: int = page["total"]
    return total


@pytest.mark.parametrize("path", MOVEMENTS | TO_DESTINATION)
async def test_change_of_another_owners_product_by_a_salesperson_is_forbidden(shared_shop: Shop, path: str) -> None:
    foreign = await shared_shop.product(10, owner_id=OWNER)
    response = await (MOVEMENTS | TO_DESTINATION)[path](shared_shop, shared_shop.caller(SELLER), foreign, {})
    assert (response.status_code, response.json()["code"]) == (403, "not_owner")
    assert await movements_by(shared_shop, foreign, SELLER) == 0


@pytest.mark.parametrize("path", MOVEMENTS | TO_DESTINATION)
async def test_change_of_ones_own_product_is_allowed(shared_shop: Shop, path: str) -> None:
    own = await shared_shop.product(10, owner_id=SELLER)
    response = await (MOVEMENTS | TO_DESTINATION)[path](shared_shop, shared_shop.caller(SELLER), own, {})
    assert response.status_code in (200, 201), response.text


@pytest.mark.parametrize("path", SALES)
async def test_another_owners_product_is_sold_by_every_salesperson(shared_shop: Shop, path: str) -> None:
    foreign = await shared_shop.product(10, owner_id=OWNER)
    response = await SALES[path](shared_shop, shared_shop.caller(SELLER), foreign, {})
    assert response.status_code in (200, 201), response.text


@pytest.mark.parametrize("path", PURCHASES)
async def test_purchase_of_ones_own_product_by_a_salesperson_is_forbidden(shared_shop: Shop, path: str) -> None:
    own = await shared_shop.product(10, owner_id=SELLER)
    assert (await PURCHASES[path](shared_shop, shared_shop.caller(SELLER), own, {})).status_code == 403


@pytest.mark.parametrize("path", MOVEMENTS | SALES | PURCHASES | {"released reservation": release})
async def test_change_in_another_warehouse_by_a_restricted_manager_is_forbidden(shared_shop: Shop, path: str) -> None:
    product_id = await shared_shop.product(10, owner_id=OWNER)
    allowed = await shared_shop.warehouse(f"ALLOWED-{product_id}")
    manager = shared_shop.caller(7, Role.MANAGER, warehouse_ids=[allowed])
    take = (MOVEMENTS | SALES | PURCHASES | {"released reservation": release})[path]
    response = await take(shared_shop, manager, product_id, {"warehouse_id": await main_id(shared_shop)})
    assert (response.status_code, response.json()["code"]) == (403, "warehouse_forbidden")
    assert await movements_by(shared_shop, product_id, 7) == 0


@pytest.mark.parametrize("path", TO_DESTINATION)
async def test_receipt_in_another_warehouse_by_a_restricted_manager_is_forbidden(shared_shop: Shop, path: str) -> None:
    product_id, main = await shared_shop.product(10), await main_id(shared_shop)
    manager = shared_shop.caller(7, Role.MANAGER, warehouse_ids=[main])
    response = await TO_DESTINATION[path](shared_shop, manager, product_id, {})
    assert (response.status_code, response.json()["code"]) == (403, "warehouse_forbidden")


async def test_items_of_batches_are_rejected_like_single_requests(shared_shop: Shop) -> None:
    foreign, own = await shared_shop.product(10), await shared_shop.product(10, owner_id=SELLER)
    seller = shared_shop.caller(SELLER)
    body = {"movements": [movement(foreign), movement(own)], "on_error": "continue"}
    batch = await seller.post("/stock-movements/batch", body)
    assert [result["status"] for result in batch["results"]] == ["rejected", "posted"]
    assert batch["results"][0]["problem"]["code"] == "not_owner"
    elsewhere = shared_shop.caller(SELLER, warehouse_ids=[await shared_shop.warehouse("ELSEWHERE")])
    sales = await elsewhere.post("/sales/batch", {"sales": [line(foreign), line(own)]})
    assert [result["problem"]["code"] for result in sales["results"]] == ["warehouse_forbidden"] * 2


async def test_count_without_differences_is_approved_by_the_owner_only(shared_shop: Shop) -> None:
    foreign = await shared_shop.product(10)
    count = (await open_count(shared_shop, shared_shop.admin, foreign, {})).json()
    await shared_shop.caller(SELLER).expect_problem(403, f"/stock-counts/{count['id']}/approve")


async def test_stored_response_is_returned_only_with_the_permission_of_the_request(
    shared_shop: Shop, product_created: ProductEvent
) -> None:
    own = await shared_shop.product(10, owner_id=SELLER, version=1)
    seller, body = shared_shop.caller(SELLER), movement(own)
    first = await seller.call("POST", "/stock-movements", json=body, key="lost-permission")
    again = await seller.call("POST", "/stock-movements", json=body, key="lost-permission")
    assert (again.status_code, again.json()) == (201, first.json())
    changed = product_created(own, version=2, owner_id=OWNER)
    await shared_shop.deliver(ProductUpdated.model_validate(changed.model_dump()))
    refused = await seller.call("POST", "/stock-movements", json=body, key="lost-permission")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_owner")


async def test_opening_stock_outside_the_creators_warehouses_is_not_posted(shared_shop: Shop) -> None:
    """The catalog refuses it with 403, unless the default warehouse has moved in between."""
    main = await main_id(shared_shop)
    refused = await shared_shop.product(10, opening_warehouse_ids=[main + 1])
    accepted = await shared_shop.product(10, opening_warehouse_ids=[main])
    assert await shared_shop.on_hand(refused) == 0
    assert await shared_shop.on_hand(accepted) == 10
    await shared_shop.admin.post("/stock-movements", movement(refused, "in"))


async def test_permissions_leave_the_ledger_consistent(shared_shop: Shop) -> None:
    await shared_shop.require_integrity()
