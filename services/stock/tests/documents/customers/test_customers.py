"""Customers: created, searched, sold to, and deleted without their sales."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stockbuddy.contracts.catalog import SupplierCreated

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop


async def test_customer_is_created_updated_and_deleted(shop: Shop) -> None:
    clerk = shop.caller(5)
    body = {"name": "Ada", "email": "ada@example.com", "phone": "+44 1", "address": "1 High Street", "notes": "VIP"}
    added = await clerk.post("/customers", body)
    path = f"/customers/{added['id']}"
    assert {name: added[name] for name in body} == body
    assert await clerk.get(path) == added
    changed = await clerk.call("PATCH", path, json={"phone": None, "name": "Ada L."})
    assert (changed.json()["phone"], changed.json()["name"], changed.json()["notes"]) == (None, "Ada L.", "VIP")
    stale = await clerk.call("PUT", path, json={"notes": "x"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert (await clerk.call("DELETE", path)).status_code == 204
    await clerk.expect_problem(404, path, method="GET")
    await shop.wait_until_published()
    kinds = ("stock.customer.created", "stock.customer.updated", "stock.customer.deleted")
    assert [event["version"] for event in shop.bus.events(*kinds)] == [1, 2, 3]


async def test_deleting_a_customer_keeps_their_sales(shop: Shop) -> None:
    tea = await shop.product(10)
    ada = await shop.admin.post("/customers", {"name": "Ada"})
    bob = await shop.admin.post("/customers", {"name": "Bob"})
    by_id = await shop.admin.post("/sales", {"product": tea, "quantity": 1, "customer": ada["id"]})
    by_name = await shop.admin.post("/sales", {"product": tea, "quantity": 1, "customer": "ada"})
    await shop.admin.post("/sales", {"product": tea, "quantity": 1, "customer_id": bob["id"]})
    page = await shop.admin.get(f"/customers/{ada['id']}/sales")
    assert [sale["id"] for sale in page["items"]] == [by_name["id"], by_id["id"]]
    assert {sale["customer_id"] for sale in page["items"]} == {ada["id"]}
    found = await shop.admin.get("/sales", customer_id=ada["id"])
    assert found["total"] == 2
    assert (await shop.admin.get("/sales", search="Bob"))["total"] == 1
    await shop.admin.call("DELETE", f"/customers/{ada['id']}")
    kept = await shop.admin.get(f"/sales/{by_id['id']}")
    assert (kept["customer_id"], kept["total"]) == (None, by_id["total"])
    await shop.admin.expect_problem(404, f"/customers/{ada['id']}/sales", method="GET")
    await shop.admin.post(f"/sales/{by_id['id']}/returns", {})


async def test_customer_list_is_searched_and_sorted(shop: Shop) -> None:
    for name, email in (("Cleo", "c@example.com"), ("Ada", None), ("Bob", "b@tea.org")):
        await shop.admin.post("/customers", {"name": name, "email": email})

    async def found(**chosen: Any) -> list[str]:
        return [customer["name"] for customer in (await shop.admin.get("/customers", **chosen))["items"]]

    assert await found() == ["Ada", "Bob", "Cleo"]
    assert await found(sort_by="created_desc") == ["Bob", "Ada", "Cleo"]
    assert await found(search="tea.org") == ["Bob"]
    assert await found(search="l") == ["Cleo"]


async def test_malformed_customer_is_rejected(shop: Shop) -> None:
    await shop.admin.expect_problem(422, "/customers", {"name": " "})
    await shop.admin.expect_problem(422, "/customers", {"name": "Ada", "email": "nowhere"})
    await shop.admin.expect_problem(422, "/customers", {"email": "a@example.com"})


async def test_customer_is_created_once_per_key(shop: Shop) -> None:
    first = await shop.admin.post("/customers", {"name": "Ada"}, key="c-1")
    assert await shop.admin.post("/customers", {"name": "Ada"}, key="c-1") == first
    assert (await shop.admin.get("/customers"))["total"] == 1


async def test_what_people_read_as_equal_is_found_and_sorted_together(shop: Shop) -> None:
    tea = await shop.product(10)
    for name in ("Zoe", "anna", "Émile", "Bob", "José Núñez"):
        await shop.admin.post("/customers", {"name": name})
    sale = await shop.admin.post("/sales", {"product": tea, "quantity": 1, "customer": "José Núñez"})
    names: list[str] = []
    cursor: Any = ""
    while cursor is not None:
        page = await shop.admin.get("/customers", sort_by="name_asc", page_size=2, cursor=cursor)
        names += [customer["name"] for customer in page["items"]]
        cursor = page["next_cursor"]
    assert names == ["anna", "Bob", "Émile", "José Núñez", "Zoe"]
    last_page = await shop.admin.get("/customers", sort_by="name_desc", page_size=2, page=2)
    assert [customer["name"] for customer in last_page["items"]] == ["Émile", "Bob"]
    await shop.admin.post("/expenses", {"category": "Café", "amount": 3, "incurred_on": "2026-03-01"})
    await shop.deliver(SupplierCreated(supplier_id=7, version=1, name="Łódź Smørrebrød"))
    order = {"supplier_id": 7, "lines": [{"product_id": tea, "quantity": 1, "unit_cost": "1"}]}
    await shop.admin.post("/purchase-orders", order)
    await shop.admin.post("/warehouses", {"name": "Straße 苹果手机壳", "code": "STR"})
    for path, search in (
        ("/customers", "jose"),
        ("/customers", "NUNEZ"),
        ("/sales", "jose"),
        ("/expenses", "cafe"),
        ("/purchase-orders", "lodz smorre"),
        ("/warehouses", "strasse"),
        ("/warehouses", "手机壳"),
    ):
        assert (await shop.admin.get(path, search=search))["total"] == 1, (path, search)
    assert (await shop.admin.get("/sales", search="jose"))["items"][0]["id"] == sale["id"]
