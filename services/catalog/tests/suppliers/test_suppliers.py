"""Suppliers through the API."""

import asyncio
from typing import Any

import pytest
from httpx2 import AsyncClient

ACME = {
    "name": "Acme",
    "contact_email": "sales@acme.example",
    "phone_number": "+44 20 7946 0000",
    "address": "1 High Street\nLondon",
    "lead_time_days": 14,
}


async def make(client: AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await client.post("/suppliers", json=ACME | fields)
    assert answer.status_code == 201, answer.text
    supplier: dict[str, Any] = answer.json()
    return supplier


async def test_get_supplier_after_creation_returns_its_fields(seller: AsyncClient) -> None:
    made = await make(seller)

    assert (await seller.get(f"/suppliers/{made['id']}")).json() == made
    assert made | ACME | {"owner_id": 5, "version": 1} == made


@pytest.mark.parametrize(
    "fields",
    [
        {"name": " "},
        {"contact_email": "nobody"},
        {"lead_time_days": -1},
        {"lead_time_days": True},
        {"phone": "1"},
        {"name": None},
    ],
)
async def test_create_supplier_with_invalid_field_is_rejected(seller: AsyncClient, fields: dict[str, Any]) -> None:
    answer = await seller.post("/suppliers", json=ACME | fields)

    assert (answer.status_code, [e["field"] for e in answer.json()["errors"]]) == (422, list(fields))


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_update_supplier_without_a_field_keeps_its_value(service: Any, seller: AsyncClient, method: str) -> None:
    made = await make(seller)

    answer = await seller.request(method, f"/suppliers/{made['id']}", json={"phone_number": None, "lead_time_days": 7})

    changed = answer.json()
    assert changed == made | {
        "phone_number": None,
        "lead_time_days": 7,
        "version": 2,
        "updated_at": changed["updated_at"],
    }
    [event] = await service.events.wait_for("catalog.supplier.updated")
    assert (event["supplier_id"], event["version"], event["lead_time_days"]) == (made["id"], 2, 7)


async def test_product_has_current_name_of_supplier(seller: AsyncClient) -> None:
    acme = await make(seller)
    product = (
        await seller.post("/products", json={"name": "Cup", "sku": "CUP", "price": 1, "supplier_id": acme["id"]})
    ).json()
    assert product["supplier"] == {"id": acme["id"], "name": "Acme"}

    await seller.patch(f"/suppliers/{acme['id']}", json={"name": "Acme & Sons"})

    shown = (await seller.get("/products", params={"supplier_id": acme["id"]})).json()["items"]
    assert [item["supplier"]["name"] for item in shown] == ["Acme & Sons"]


async def test_delete_supplier_in_use_conflicts(service: Any, seller: AsyncClient) -> None:
    acme = await make(seller)
    path = f"/suppliers/{acme['id']}"
    product = (
        await seller.post("/products", json={"name": "Cup", "sku": "CUP", "price": 1, "supplier_id": acme["id"]})
    ).json()

    answer = await seller.delete(path)
    assert (answer.status_code, answer.json()["code"]) == (409, "in_use")

    await seller.patch(f"/products/{product['id']}", json={"supplier_id": None})
    assert (await seller.delete(path)).status_code == 204
    assert (await seller.get(path)).status_code == 404
    [event] = await service.events.wait_for("catalog.supplier.deleted")
    assert (event["supplier_id"], event["deleted"]) == (acme["id"], True)


async def test_supplier_list_with_filters_returns_matches(seller: AsyncClient) -> None:
    await make(seller, name="beta", contact_email="b@beta.example", phone_number="100%")
    await make(seller, name="Alpha", contact_email=None)

    async def names(**params: Any) -> list[str]:
        answer = (await seller.get("/suppliers", params=params)).json()
        assert answer["total"] == len(answer["items"])
        return [item["name"] for item in answer["items"]]

    assert await names() == ["Alpha", "beta"]
    assert await names(sort_by="created_asc") == ["beta", "Alpha"]
    assert await names(search="ALP") == ["Alpha"]
    assert await names(search="@beta") == ["beta"]
    assert await names(search="%") == ["beta"]
    assert await names(owner_id=77) == []


async def test_update_supplier_by_other_salesperson_is_forbidden(
    service: Any, seller: AsyncClient, manager: AsyncClient
) -> None:
    path = f"/suppliers/{(await make(seller))['id']}"
    async with service.client(6) as other:
        assert (await other.patch(path, json={"name": "Mine"})).status_code == 403
        assert (await other.delete(path)).status_code == 403
    stale = await manager.patch(path, json={"name": "Ours"}, headers={"If-Match": '"9"'})
    assert stale.status_code == 412
    assert (await manager.patch(path, json={"name": "Ours"})).status_code == 200


async def test_product_names_its_supplier_which_is_created_once(service: Any, seller: AsyncClient) -> None:
    products = await asyncio.gather(
        *(
            seller.post("/products", json={"name": "x", "sku": f"S{n}", "price": 1, "supplier": "Café Nord"})
            for n in range(6)
        )
    )
    again = await seller.patch(
        f"/products/{products[0].json()['id']}", json={"supplier": "cafe\u0301 NORD", "price": 2}
    )

    assert {(answer.status_code, answer.json()["supplier"]["name"]) for answer in products} == {(201, "Café Nord")}
    assert (await seller.get("/suppliers")).json()["total"] == 1
    assert (again.json()["supplier_id"], again.json()["unit_price"]) == (products[0].json()["supplier_id"], "2.00")
    assert len(await service.events.wait_for("catalog.supplier.created")) == 1
    cleared = await seller.patch(f"/products/{products[0].json()['id']}", json={"supplier": None})
    assert cleared.json()["supplier"] is None


async def test_ambiguous_supplier_of_a_product_is_rejected(seller: AsyncClient) -> None:
    ids = [(await seller.post("/suppliers", json={"name": name})).json()["id"] for name in ("Acme", "acme")]

    answer = await seller.post("/products", json={"name": "x", "sku": "S", "price": 1, "supplier": "ACME"})
    both = await seller.post("/products", json={"name": "x", "sku": "S", "price": 1, "supplier": "x", "supplier_id": 1})

    assert (answer.status_code, answer.json()["code"]) == (409, "ambiguous_supplier")
    assert answer.json()["supplier_ids"] == ids
    assert both.status_code == 422
