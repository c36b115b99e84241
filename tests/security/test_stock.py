"""The same permission for every path with the same effect, with real accounts and API keys (ADR 14)."""

from typing import Any

import httpx2 as httpx
import pytest

from stockbuddy.chassis.testing.clients import User, log_in, register

EXPIRES_IN_SECONDS = 366 * 24 * 3600


@pytest.fixture(scope="module")
async def seller(http: httpx.AsyncClient, admin: User) -> User:
    """A salesperson; depends on `admin`, because the first registered user must be the admin."""
    return await register(http, "stock-seller")


@pytest.fixture(scope="module")
async def colleague(http: httpx.AsyncClient, admin: User) -> User:
    return await register(http, "stock-colleague")


async def stocked(admin: User, sku: str, quantity: int) -> int:
    """The id of a product of the admin with stock in the default warehouse."""
    body = {"name": sku, "sku": sku, "unit_price": "1", "quantity": quantity}
    product_id: int = (await admin.post("/products", body))["id"]
    await admin.until("/stock-levels", lambda page: page["total"] > 0, product_id=product_id)
    return product_id


def line(product_id: int, quantity: float = 1) -> dict[str, Any]:
    return {"product_id": product_id, "quantity": quantity}


async def test_reservation_of_another_owners_product_is_not_committed_as_out(admin: User, seller: User) -> None:
    tea = await stocked(admin, "STOCK-S29", 10)
    movement = await seller.call("POST", "/stock-movements", json={**line(tea), "movement_type": "out"})
    held = await seller.post("/reservations", {"lines": [line(tea)]})
    committed = await seller.call("POST", f"/reservations/{held['id']}/commit", json={"as": "out"})
    assert [(r.status_code, r.json()["code"]) for r in (movement, committed)] == [(403, "not_owner")] * 2
    assert (await admin.get("/stock-movements", product_id=tea))["total"] == 1
    sold = await seller.post(f"/reservations/{held['id']}/commit", {"as": "sale"})
    assert sold["status"] == "committed"


async def test_salesperson_neither_reserves_everything_nor_releases_others(
    admin: User, seller: User, colleague: User
) -> None:
    tea = await stocked(admin, "STOCK-S27", 100)
    all_of_it = await seller.call("POST", "/reservations", json={"lines": [line(tea, 100)]})
    long = {"lines": [line(tea)], "expires_in": EXPIRES_IN_SECONDS}
    for_a_year = await seller.call("POST", "/reservations", json=long)
    held = await seller.post("/reservations", {"lines": [line(tea, 10)]})
    released = await colleague.call("POST", f"/reservations/{held['id']}/release")
    shortened = await colleague.call("POST", f"/reservations/{held['id']}/extend", json={"expires_in": 1})
    emptied = await colleague.call("POST", "/sales", json={**line(tea), "reservation_id": held["id"]})
    responses = (all_of_it, for_a_year, released, shortened, emptied)
    assert [response.status_code for response in responses] == [403, 422, 403, 403, 403]
    assert (await seller.get(f"/reservations/{held['id']}"))["status"] == "held"
    await admin.post(f"/reservations/{held['id']}/release")


async def test_two_tills_of_one_owner_do_not_replay_each_other(http: httpx.AsyncClient, admin: User) -> None:
    tea = await stocked(admin, "STOCK-S11", 10)
    keys = [(await admin.post("/auth/api-keys", {"name": f"Till {number}"}))["key"] for number in (1, 2)]
    sales = []
    for key in (*keys, keys[0]):
        headers = {"X-API-Key": key, "Idempotency-Key": "receipt-1"}
        response = await http.post("/api/v1/sales", json=line(tea), headers=headers)
        assert response.status_code == 201, response.text
        sales.append(response.json()["id"])
    assert sales[0] == sales[2] != sales[1]


async def test_restricted_manager_administers_own_warehouses_only(http: httpx.AsyncClient, admin: User) -> None:
    own, other = [
        (await admin.post("/warehouses", {"name": code, "code": code}))["id"] for code in ("STOCK-OWN", "STOCK-OTHER")
    ]
    account = await register(http, "stock-manager")
    changes = {"role": "manager", "warehouse_ids": [own]}
    changed = await admin.call("PATCH", f"/users/{account.tokens['user']['id']}", json=changes)
    assert changed.status_code == 200, changed.text
    manager = await log_in(http, "stock-manager")
    attacks = [
        await manager.call("PATCH", f"/warehouses/{other}", json={"negative_stock": "allow"}),
        await manager.call("PATCH", f"/stores/{other}", json={"negative_stock": "allow"}),
        await manager.call("PATCH", f"/warehouses/{own}", json={"is_default": True}),
        await manager.call("DELETE", f"/warehouses/{other}"),
        await manager.call("POST", "/warehouses", json={"name": "New", "code": "STOCK-NEW", "is_default": True}),
    ]
    assert [response.status_code for response in attacks] == [403] * 5
    allowed = await manager.call("PATCH", f"/warehouses/{own}", json={"negative_stock": "allow"})
    assert allowed.status_code == 200
