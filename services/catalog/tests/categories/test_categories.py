"""Categories through the API: nesting, unique names, deletion only when empty."""

import asyncio
import base64
import json
from typing import Any

from httpx2 import AsyncClient


async def make(client: AsyncClient, name: str, parent_id: int | None = None) -> dict[str, Any]:
    answer = await client.post("/categories", json={"name": name, "parent_id": parent_id})
    assert answer.status_code == 201, answer.text
    category: dict[str, Any] = answer.json()
    return category


async def product_in(client: AsyncClient, sku: str, **fields: Any) -> dict[str, Any]:
    answer = await client.post("/products", json={"name": sku, "sku": sku, "unit_price": 1} | fields)
    assert answer.status_code == 201, answer.text
    product: dict[str, Any] = answer.json()
    return product


async def test_category_is_created_read_updated_and_deleted(service: Any, seller: AsyncClient) -> None:
    tea = await make(seller, "Tea")
    path = f"/categories/{tea['id']}"
    assert tea | {"id": 0, "created_at": "", "updated_at": ""} == {
        "id": 0,
        "name": "Tea",
        "parent_id": None,
        "owner_id": 5,
        "product_count": 0,
        "version": 1,
        "created_at": "",
        "updated_at": "",
    }
    assert (await seller.get(path)).json() == tea

    renamed = await seller.patch(path, json={"name": "Teas"})
    assert (renamed.json()["name"], renamed.json()["version"]) == ("Teas", 2)
    assert (await seller.delete(path)).status_code == 204
    for answer in (await seller.get(path), await seller.put(path, json={}), await seller.delete(path)):
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_category")

    assert [e["version"] for e in await service.events.wait_for("catalog.category.created")] == [1]
    assert [e["name"] for e in await service.events.wait_for("catalog.category.updated")] == ["Teas"]
    assert [e["deleted"] for e in await service.events.wait_for("catalog.category.deleted")] == [True]


async def test_category_with_taken_name_in_other_case_conflicts(seller: AsyncClient) -> None:
    await make(seller, "Tea")
    coffee = await make(seller, "Coffee")

    for answer in (
        await seller.post("/categories", json={"name": "TEA"}),
        await seller.put(f"/categories/{coffee['id']}", json={"name": "tea"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "duplicate_category")


async def test_concurrent_products_of_new_category_share_it(seller: AsyncClient) -> None:
    products = await asyncio.gather(*(product_in(seller, f"S{n}", category="Tea") for n in range(12)))

    assert len({product["category_id"] for product in products}) == 1
    [category] = (await seller.get("/categories")).json()["items"]
    assert (category["name"], category["product_count"]) == ("Tea", 12)


async def test_renamed_category_is_current_in_products_and_searches(seller: AsyncClient) -> None:
    product = await product_in(seller, "A", category="Tea")

    await seller.patch(f"/categories/{product['category_id']}", json={"name": "Infusions"})

    assert (await seller.get(f"/products/{product['id']}")).json()["category"] == "Infusions"
    for search, total in (("tea", 0), ("infus", 1)):
        assert (await seller.get("/products", params={"search": search})).json()["total"] == total


async def test_filter_by_category_includes_descendants(seller: AsyncClient) -> None:
    drinks = await make(seller, "Drinks")
    tea = await make(seller, "Tea", drinks["id"])
    green = await make(seller, "Green", tea["id"])
    await product_in(seller, "SENCHA", category_id=green["id"])
    await product_in(seller, "KETTLE", category="Kitchen")

    for params in ({"category": "drinks"}, {"category_id": tea["id"]}, {"search": "drink"}, {"search": "green sencha"}):
        items = (await seller.get("/products", params=params)).json()["items"]
        assert [item["sku"] for item in items] == ["SENCHA"]


async def test_delete_category_in_use_conflicts(seller: AsyncClient) -> None:
    parent = await make(seller, "Drinks")
    child = await make(seller, "Tea", parent["id"])
    product = await product_in(seller, "A", category_id=child["id"])

    for category in (parent, child):
        answer = await seller.delete(f"/categories/{category['id']}")
        assert (answer.status_code, answer.json()["code"]) == (409, "in_use")

    await seller.delete(f"/products/{product['id']}")
    for category in (child, parent):
        assert (await seller.delete(f"/categories/{category['id']}")).status_code == 204
    restored = await seller.post(f"/products/{product['id']}/restore")
    assert (restored.json()["category_id"], restored.json()["category"]) == (None, None)


async def test_category_below_itself_conflicts(seller: AsyncClient) -> None:
    a = await make(seller, "A")
    b = await make(seller, "B", a["id"])
    c = await make(seller, "C", b["id"])

    for category in (a, b, c):
        answer = await seller.put(f"/categories/{a['id']}", json={"parent_id": category["id"]})
        assert (answer.status_code, answer.json()["code"]) == (409, "category_cycle")

    moved = await seller.put(f"/categories/{c['id']}", json={"parent_id": None})
    assert moved.json()["parent_id"] is None
    unknown = await seller.put(f"/categories/{c['id']}", json={"parent_id": 999})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_category")


async def test_concurrent_moves_create_no_cycle(seller: AsyncClient) -> None:
    categories = [await make(seller, f"C{number}") for number in range(6)]

    await asyncio.gather(
        *(
            seller.put(f"/categories/{a['id']}", json={"parent_id": b["id"]})
            for a, b in zip(categories, categories[1:] + categories[:1], strict=True)
        )
    )

    shown = {c["id"]: c["parent_id"] for c in (await seller.get("/categories")).json()["items"]}
    for start in shown:
        seen, current = set(), start
        while current is not None:
            assert current not in seen
            seen.add(current)
            current = shown[current]


async def test_category_list_pages_by_number_and_cursor(seller: AsyncClient) -> None:
    for name in ("b", "A", "d", "C"):
        await make(seller, name)

    first = (await seller.get("/categories", params={"page_size": 3})).json()
    assert ([c["name"] for c in first["items"]], first["total"]) == (["A", "b", "C"], 4)
    for params in ({"cursor": first["next_cursor"]}, {"page": 2}):
        rest = (await seller.get("/categories", params={"page_size": 3, **params})).json()
        assert ([c["name"] for c in rest["items"]], rest["next_cursor"]) == (["d"], None)
    newest = (await seller.get("/categories", params={"sort_by": "created_desc", "page_size": 2})).json()
    older = (
        await seller.get("/categories", params={"sort_by": "created_desc", "cursor": newest["next_cursor"]})
    ).json()
    assert [c["name"] for c in newest["items"] + older["items"]] == ["C", "d", "A", "b"]
    assert [c["name"] for c in (await seller.get("/categories", params={"search": "B"})).json()["items"]] == ["b"]
    carried = (await seller.get("/categories", params={"cursor": newest["next_cursor"]})).json()
    assert [c["name"] for c in carried["items"]] == ["A", "b"]
    other = await seller.get("/categories", params={"cursor": newest["next_cursor"], "sort_by": "name_asc"})
    assert other.status_code == 422
    nul = base64.urlsafe_b64encode(json.dumps({"sort": "name_asc", "key": ["a\0", 1]}).encode()).decode()
    assert (await seller.get("/categories", params={"cursor": nul})).status_code == 422


async def test_update_category_by_other_salesperson_is_forbidden(
    service: Any, seller: AsyncClient, manager: AsyncClient
) -> None:
    path = f"/categories/{(await make(seller, 'Tea'))['id']}"
    async with service.client(6) as other:
        assert (await other.put(path, json={"name": "Mine"})).status_code == 403
        assert (await other.delete(path)).status_code == 403
    assert (await manager.put(path, json={"name": "Ours"})).status_code == 200


async def test_update_category_with_stale_etag_fails(seller: AsyncClient) -> None:
    made = await seller.post("/categories", json={"name": "Tea"})
    path, tag = f"/categories/{made.json()['id']}", {"If-Match": made.headers["etag"]}

    assert (await seller.put(path, json={"name": "Teas"}, headers=tag)).status_code == 200
    assert (await seller.put(path, json={"name": "Tees"}, headers=tag)).status_code == 412


async def test_products_updated_during_renames_have_current_names(seller: AsyncClient) -> None:
    category = await make(seller, "Tea")
    supplier = (await seller.post("/suppliers", json={"name": "Acme"})).json()
    fields = {"category_id": category["id"], "supplier_id": supplier["id"]}
    ids = [(await product_in(seller, f"S{number}", **fields))["id"] for number in range(24)]

    for turn in range(2):
        answers = await asyncio.gather(
            *(seller.patch(f"/products/{product_id}", json={"name": f"New {turn}"}) for product_id in ids[:12]),
            seller.patch(f"/categories/{category['id']}", json={"name": f"Teas {turn}"}),
            seller.patch(f"/suppliers/{supplier['id']}", json={"name": f"Acme {turn}"}),
            *(seller.patch(f"/products/{product_id}", json={"name": f"New {turn}"}) for product_id in ids[12:]),
        )
        assert {answer.status_code for answer in answers} == {200}
        items = (await seller.get("/products", params={"page_size": 100})).json()["items"]
        shown = {(item["name"], item["category"], item["supplier"]["name"]) for item in items}
        assert shown == {(f"New {turn}", f"Teas {turn}", f"Acme {turn}")}
