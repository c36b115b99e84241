"""Warehouses: create, update, delete, and exactly one default."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from stockbuddy.chassis.access.roles import Role
from stockbuddy.contracts.catalog import SupplierCreated

if TYPE_CHECKING:
    import asyncpg

    from services.stock.tests.conftest import Shop, StartShop


async def test_concurrent_first_starts_create_one_default_warehouse(start_shop: StartShop) -> None:
    shops = await asyncio.gather(*(start_shop() for _ in range(3)))
    page = await shops[0].admin.get("/warehouses")
    [main] = page["items"]
    assert (main["code"], main["is_default"], main["kind"]) == ("MAIN", True, "warehouse")
    for shop in shops:
        await shop.wait_until_published()
    assert sum(len(shop.bus.events("stock.warehouse.created")) for shop in shops) == 1


async def test_warehouse_is_created_updated_and_deleted(shop: Shop) -> None:
    manager = shop.caller(2, Role.MANAGER)
    body = {"name": "Corner shop", "code": "corner", "kind": "store", "address": "1 High Street"}
    opened = await manager.post("/warehouses", body)
    path = f"/warehouses/{opened['id']}"
    assert {name: opened[name] for name in body} == body
    assert (opened["is_default"], opened["negative_stock"], opened["version"]) == (False, None, 1)
    assert await manager.get(path) == opened

    changed = await manager.call("PATCH", path, json={"name": "The corner shop"})
    assert changed.json()["name"] == "The corner shop"
    assert changed.json()["address"] == "1 High Street"
    stale = await manager.call("PUT", path, json={"name": "x"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    fresh = await manager.call("PUT", path, json={"address": None}, headers={"If-Match": changed.headers["ETag"]})
    assert fresh.json()["address"] is None

    assert (await manager.call("DELETE", path)).status_code == 204
    await manager.expect_problem(404, path, method="GET")
    assert [w["code"] for w in (await manager.get("/warehouses"))["items"]] == ["MAIN"]
    await shop.wait_until_published()
    versions = [
        (event["version"], event["name"], event["deleted"])
        for event in shop.bus.events("stock.warehouse.created", "stock.warehouse.updated", "stock.warehouse.deleted")
        if event["warehouse_id"] == opened["id"]
    ]
    assert versions == [
        (1, "Corner shop", False),
        (2, "The corner shop", False),
        (3, "The corner shop", False),
        (4, "The corner shop", True),
    ]


async def test_warehouse_code_is_unique_ignoring_case_until_deleted(shop: Shop) -> None:
    first = await shop.warehouse("ANNEX")
    problem = await shop.admin.expect_problem(409, "/warehouses", {"name": "Other", "code": "annex"})
    assert problem["code"] == "duplicate_code"
    await shop.admin.call("DELETE", f"/warehouses/{first}")
    assert await shop.warehouse("annex") != first


async def test_new_default_warehouse_replaces_former_at_once(shop: Shop) -> None:
    tea = await shop.product()
    annex = await shop.warehouse("ANNEX", is_default=True)
    posted = await shop.admin.post("/stock-movements", {"product_id": tea, "movement_type": "in", "quantity": 1})
    assert posted["warehouse_id"] == annex
    defaults = [w["code"] for w in (await shop.admin.get("/warehouses"))["items"] if w["is_default"]]
    assert defaults == ["ANNEX"]
    problem = await shop.admin.expect_problem(409, f"/warehouses/{annex}", {"is_default": False}, method="PATCH")
    assert problem["code"] == "default_warehouse_required"
    await shop.admin.expect_problem(409, f"/warehouses/{annex}", method="DELETE")


async def test_warehouse_with_stock_cannot_be_deleted(shop: Shop) -> None:
    tea, annex = await shop.product(), await shop.warehouse("ANNEX")
    move = {"product_id": tea, "movement_type": "in", "quantity": 1, "warehouse_id": annex}
    await shop.admin.post("/stock-movements", move)
    problem = await shop.admin.expect_problem(409, f"/warehouses/{annex}", method="DELETE")
    assert problem["code"] == "warehouse_in_use"
    await shop.admin.post("/stock-movements", move | {"movement_type": "out"})
    assert (await shop.admin.call("DELETE", f"/warehouses/{annex}")).status_code == 204
    await shop.admin.expect_problem(404, "/stock-movements", move)
    await shop.require_integrity()


async def test_warehouse_with_an_open_reservation_cannot_be_deleted(shop: Shop) -> None:
    tea, annex = await shop.product(), await shop.warehouse("ANNEX")
    line = {"product_id": tea, "quantity": 2, "warehouse_id": annex}
    await shop.admin.post("/stock-movements", {**line, "movement_type": "in"})
    held = await shop.admin.post("/reservations", {"lines": [line]})
    problem = await shop.admin.expect_problem(409, f"/warehouses/{annex}", method="DELETE")
    assert problem["code"] == "warehouse_in_use"
    assert problem["documents"] == [{"document": "reservation", "id": held["id"], "number": None}]
    await shop.admin.post(f"/reservations/{held['id']}/release")
    problem = await shop.admin.expect_problem(409, f"/warehouses/{annex}", method="DELETE")
    assert problem["documents"] == []
    await shop.admin.post("/stock-movements", {**line, "movement_type": "out"})
    assert (await shop.admin.call("DELETE", f"/warehouses/{annex}")).status_code == 204


async def test_concurrent_delete_and_receipt_never_both_succeed(start_shop: StartShop) -> None:
    shops = [await start_shop(), await start_shop()]
    tea = await shops[0].product()
    for number in range(10):
        annex = await shops[0].warehouse(f"ANNEX-{number}")
        move = {"product_id": tea, "movement_type": "in", "quantity": 1, "warehouse_id": annex}
        received, closed = await asyncio.gather(
            shops[1].admin.call("POST", "/stock-movements", json=move),
            shops[0].admin.call("DELETE", f"/warehouses/{annex}"),
        )
        assert (received.status_code, closed.status_code) in {(201, 409), (404, 204)}


@pytest.mark.parametrize("path", ["/purchase-orders", "/stock-transfers", "/stock-counts"])
async def test_document_waits_for_deletion_of_its_warehouse_and_is_refused(
    shop: Shop, database: asyncpg.Connection, path: str
) -> None:
    """The cache of warehouses still has the deleted one, as in another replica."""
    await shop.deliver(SupplierCreated(supplier_id=1, version=1, name="Leaf Ltd"))
    tea, annex = await shop.product(5), await shop.warehouse("ANNEX")
    line = {"product_id": tea, "quantity": 1}
    bodies: dict[str, dict[str, Any]] = {
        "/purchase-orders": {"supplier_id": 1, "warehouse_id": annex, "lines": [line | {"unit_cost": "1"}]},
        "/stock-transfers": line | {"from_warehouse_code": "MAIN", "to_warehouse_code": "ANNEX"},
        "/stock-counts": {"warehouse_id": annex},
    }
    async with database.transaction():
        await database.execute("SELECT FROM warehouse WHERE id = $1 FOR UPDATE", annex)
        posting = asyncio.create_task(shop.admin.call("POST", path, json=bodies[path]))
        await wait_for_lock(database)
        await database.execute("UPDATE warehouse SET deleted = true WHERE id = $1", annex)
    response = await posting
    assert (response.status_code, response.json()["code"]) == (404, "unknown_warehouse")
    assert (await shop.admin.get(path))["items"] == []
    # The other way round, the deletion waits for the document and finds it.
    south = await shop.warehouse("SOUTH")
    bodies[path] |= {"to_warehouse_code": "SOUTH"} if path == "/stock-transfers" else {"warehouse_id": south}
    created, deleted = await asyncio.gather(
        shop.admin.call("POST", path, json=bodies[path]), shop.admin.call("DELETE", f"/warehouses/{south}")
    )
    assert (created.status_code, deleted.status_code) in {(201, 409), (404, 204)}


async def wait_for_lock(database: asyncpg.Connection) -> None:
    """Wait until a transaction waits for a lock of this connection's."""
    waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
    async with asyncio.timeout(60):
        while not await database.fetchval(waiting):
            await asyncio.sleep(0.01)


async def test_warehouse_created_by_salesperson_is_forbidden(shop: Shop) -> None:
    body: dict[str, Any] = {"name": "Mine", "code": "MINE"}
    await shop.caller(5).expect_problem(403, "/warehouses", body)
    assert len((await shop.caller(5).get("/warehouses"))["items"]) == 1
    await shop.admin.expect_problem(422, "/warehouses", body | {"kind": "garage"})
    await shop.admin.expect_problem(422, "/warehouses", {"name": "Nameless"})


async def test_warehouses_with_filters_are_selected(shop: Shop) -> None:
    await shop.warehouse("NORTH", kind="store")
    await shop.warehouse("SOUTH")

    async def found(**chosen: Any) -> list[str]:
        return [w["code"] for w in (await shop.admin.get("/warehouses", **chosen))["items"]]

    assert await found(search="north") == ["NORTH"]
    assert await found(kind="store") == ["NORTH"]
    assert await found(search="sou") == ["SOUTH"]
