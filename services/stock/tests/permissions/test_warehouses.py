"""Warehouse restrictions apply to the administration of warehouses."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from stockbuddy.chassis.access.roles import Role
from stockbuddy.contracts.catalog import SupplierCreated

if TYPE_CHECKING:
    from services.stock.tests.conftest import Caller, Shop

_numbers = itertools.count(1)


async def managed(shop: Shop) -> tuple[int, Caller]:
    """A warehouse, and a manager who is restricted to it."""
    own = await shop.warehouse(f"OWN-{next(_numbers)}")
    return own, shop.caller(7, Role.MANAGER, warehouse_ids=[own])


async def default(shop: Shop) -> dict[str, Any]:
    warehouses = (await shop.admin.get("/warehouses", page_size=100))["items"]
    found: dict[str, Any] = next(warehouse for warehouse in warehouses if warehouse["is_default"])
    return found


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("changes", [{"negative_stock": "allow"}, {"name": "Mine"}, {"is_default": True}, {}])
async def test_change_of_another_warehouse_is_forbidden(
    shared_shop: Shop, method: str, changes: dict[str, Any]
) -> None:
    _, manager = await managed(shared_shop)
    other = await shared_shop.warehouse(f"OTHER-{next(_numbers)}")
    problem = await manager.expect_problem(403, f"/warehouses/{other}", changes, method=method)
    assert problem["code"] == "warehouse_forbidden"


async def test_deletion_of_another_warehouse_is_forbidden(shared_shop: Shop) -> None:
    _, manager = await managed(shared_shop)
    other = await shared_shop.warehouse(f"OTHER-{next(_numbers)}")
    await manager.expect_problem(403, f"/warehouses/{other}", method="DELETE")


async def test_default_is_not_moved_away_from_another_warehouse(shared_shop: Shop) -> None:
    own, manager = await managed(shared_shop)
    before = await default(shared_shop)
    await manager.expect_problem(403, f"/warehouses/{own}", {"is_default": True}, method="PATCH")
    new = {"name": "New", "code": f"NEW-{next(_numbers)}", "is_default": True}
    await manager.expect_problem(403, "/warehouses", new)
    assert await default(shared_shop) == before


async def test_new_warehouse_requires_access_to_all(shared_shop: Shop) -> None:
    _, manager = await managed(shared_shop)
    await manager.expect_problem(403, "/warehouses", {"name": "New", "code": f"NEW-{next(_numbers)}"})


async def test_own_warehouse_is_changed_and_deleted(shared_shop: Shop) -> None:
    own, manager = await managed(shared_shop)
    changed = await manager.call("PATCH", f"/warehouses/{own}", json={"negative_stock": "allow"})
    assert (changed.status_code, changed.json()["negative_stock"]) == (200, "allow")
    assert (await manager.call("DELETE", f"/warehouses/{own}")).status_code == 204


async def test_default_moves_between_warehouses_of_the_manager(shared_shop: Shop) -> None:
    former = (await default(shared_shop))["id"]
    own = await shared_shop.warehouse(f"OWN-{next(_numbers)}")
    manager = shared_shop.caller(7, Role.MANAGER, warehouse_ids=[own, former])
    assert (await manager.call("PATCH", f"/warehouses/{own}", json={"is_default": True})).status_code == 200
    assert (await manager.call("PATCH", f"/warehouses/{former}", json={"is_default": True})).status_code == 200


async def test_warehouse_with_open_documents_is_not_deleted(shared_shop: Shop) -> None:
    """The problem lists them."""
    shop = shared_shop
    annex, tea = await shop.warehouse(f"ANNEX-{next(_numbers)}"), await shop.product(10)
    await shop.deliver(SupplierCreated(supplier_id=7, version=1, name="Leaf & Co"))
    body = {"supplier_id": 7, "warehouse_id": annex, "lines": [{"product_id": tea, "quantity": 1, "unit_cost": "1"}]}
    order = await shop.admin.post("/purchase-orders", body)
    await shop.admin.post(f"/purchase-orders/{order['id']}/order")
    count = await shop.admin.post("/stock-counts", {"warehouse_id": annex, "product_ids": [tea]})
    main = (await default(shop))["id"]
    transfer = await shop.admin.post(
        "/stock-transfers", {"from_warehouse_id": main, "to_warehouse_id": annex, "product_id": tea, "quantity": 1}
    )
    problem = await shop.admin.expect_problem(409, f"/warehouses/{annex}", method="DELETE")
    assert problem["code"] == "warehouse_in_use"
    assert problem["documents"] == [
        {"document": "purchase_order", "id": order["id"], "number": order["number"]},
        {"document": "stock_count", "id": count["id"], "number": count["number"]},
        {"document": "stock_transfer", "id": transfer["id"], "number": transfer["number"]},
    ]
    for path in (
        f"/purchase-orders/{order['id']}",
        f"/stock-counts/{count['id']}",
        f"/stock-transfers/{transfer['id']}",
    ):
        await shop.admin.post(f"{path}/cancel")
    assert (await shop.admin.call("DELETE", f"/warehouses/{annex}")).status_code == 204
