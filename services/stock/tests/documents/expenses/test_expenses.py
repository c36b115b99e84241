"""Expenses: created once, exact, updated and deleted by managers only."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from stockbuddy.chassis.access.roles import Role

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop

RENT = {"category": "Rent", "amount": "1200.5", "incurred_on": "2026-03-01", "notes": "March"}


async def test_expense_is_created_once_per_key(shop: Shop) -> None:
    responses = await asyncio.gather(*(shop.admin.post("/expenses", RENT, key="rent") for _ in range(5)))
    assert all(response == responses[0] for response in responses)
    rent = responses[0]
    assert (rent["category"], rent["amount"], rent["incurred_on"]) == ("Rent", "1200.50", "2026-03-01")
    assert (rent["warehouse_id"], rent["created_by"], rent["version"]) == (None, 1, 1)
    assert await shop.admin.get(f"/expenses/{rent['id']}") == rent
    assert (await shop.admin.get("/expenses"))["items"] == [rent]
    created = (await shop.wait_for_events(1, "stock.expense.created"))[0]
    assert {name: created[name] for name in rent} == rent


async def test_expense_update_and_delete_require_the_current_version(shop: Shop) -> None:
    north = await shop.warehouse("NORTH")
    path = f"/expenses/{(await shop.admin.post('/expenses', RENT))['id']}"
    changes = {"amount": 1100, "notes": None, "warehouse_code": "north"}
    response = await shop.admin.call("PATCH", path, json=changes, headers={"If-Match": '"1"'})
    corrected = response.json()
    assert (response.status_code, response.headers["etag"]) == (200, '"2"')
    assert (corrected["amount"], corrected["notes"], corrected["warehouse_id"]) == ("1100.00", None, north)
    assert corrected["category"] == "Rent"
    assert (await shop.admin.call("PUT", path, json={"amount": 1}, headers={"If-Match": '"1"'})).status_code == 412
    assert (await shop.admin.call("DELETE", path, headers={"If-Match": '"1"'})).status_code == 412
    assert (await shop.admin.call("PUT", path, json={"warehouse_id": None})).json()["warehouse_id"] is None
    assert (await shop.admin.call("DELETE", path, headers={"If-Match": '"3"'})).status_code == 204
    await shop.admin.expect_problem(404, path, method="GET")
    await shop.admin.expect_problem(404, path, method="DELETE")
    deleted = (await shop.wait_for_events(1, "stock.expense.deleted"))[0]
    assert (deleted["version"], deleted["amount"]) == (4, "1100.00")


async def test_expense_list_is_filtered_and_sorted(shop: Shop) -> None:
    north = await shop.warehouse("NORTH")
    for day, category, amount in ((1, "Rent", 5), (2, "Power", 7), (3, "rent", 6), (3, "Wages", 1)):
        body = {"category": category, "amount": amount, "incurred_on": f"2026-03-0{day}", "warehouse_id": north}
        await shop.admin.post("/expenses", body if category == "rent" else {**body, "warehouse_id": None})

    async def found(**parameters: Any) -> list[str]:
        return [item["amount"] for item in (await shop.admin.get("/expenses", **parameters))["items"]]

    assert await found() == ["1.00", "6.00", "7.00", "5.00"]
    assert await found(category="RENT", sort_by="incurred_asc") == ["5.00", "6.00"]
    assert await found(warehouse_id=north) == ["6.00"]
    assert await found(search="owe") == ["7.00"]
    assert await found(**{"from": "2026-03-02", "to": "2026-03-03"}) == ["7.00"]
    assert await found(sort_by="amount_desc", page_size=2) == ["7.00", "6.00"]
    first = await shop.admin.get("/expenses", page_size=3)
    rest = await shop.admin.get("/expenses", page_size=3, cursor=first["next_cursor"])
    assert [item["amount"] for item in rest["items"]] == ["5.00"]
    assert rest["next_cursor"] is None


async def test_malformed_expense_is_rejected(shop: Shop) -> None:
    wrongs: list[dict[str, Any]] = [
        {"amount": 0},
        {"amount": "-1"},
        {"amount": "1.00001"},
        {"amount": None},
        {"category": " "},
        {"incurred_on": "2026-02-30"},
        {"incurred_on": "0001-01-01"},
        {"amout": 1},
    ]
    for wrong in wrongs:
        await shop.admin.expect_problem(422, "/expenses", RENT | wrong)
    await shop.admin.expect_problem(404, "/expenses", RENT | {"warehouse_id": 999})
    assert (await shop.admin.get("/expenses"))["total"] == 0


async def test_expense_access_is_limited_to_managers_and_their_warehouses(shop: Shop) -> None:
    north, south = await shop.warehouse("NORTH"), await shop.warehouse("SOUTH")
    rent = await shop.admin.post("/expenses", RENT | {"warehouse_id": south})
    seller, manager = shop.caller(5), shop.caller(6, Role.MANAGER, warehouse_ids=[north])
    await seller.expect_problem(403, "/expenses", RENT)
    for path in ("/expenses", f"/expenses/{rent['id']}"):
        await seller.expect_problem(403, path, method="GET")
    await manager.expect_problem(403, "/expenses", RENT | {"warehouse_id": south})
    await manager.expect_problem(403, f"/expenses/{rent['id']}", {"amount": 1}, method="PATCH")
    await manager.expect_problem(403, f"/expenses/{rent['id']}", method="DELETE")
    await manager.post("/expenses", RENT | {"warehouse_id": north})
