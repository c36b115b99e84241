"""Products through the API: create, read, update, delete, restore, and permissions."""

from typing import Any

import pytest
from httpx2 import AsyncClient

from stockbuddy.catalog.products.schemas import ProductResponse

TEAPOT = {"name": "Teapot", "sku": "TEA-1", "unit_price": "19.9"}


async def make(client: AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await client.post("/products", json=TEAPOT | fields)
    assert answer.status_code == 201, answer.text
    product: dict[str, Any] = answer.json()
    return product


async def test_get_product_after_creation_returns_its_fields(manager: AsyncClient) -> None:
    made = await make(
        manager,
        description="Holds a litre.\nBlue “porcelain”",
        cost_price=7.25,
        unit_of_measure="piece",
        category="Kitchen",
        barcodes=["4006381333931", "TP-1"],
        low_stock_threshold=2.5,
    )

    answer = await manager.get(f"/products/{made['id']}")

    assert answer.json() == made
    ProductResponse.model_validate_json(answer.content, extra="forbid")
    assert made | {"id": 0, "category_id": 0, "created_at": "", "updated_at": ""} == {
        "id": 0,
        "sku": "TEA-1",
        "name": "Teapot",
        "description": "Holds a litre.\nBlue “porcelain”",
        "unit_price": "19.90",
        "cost_price": "7.25",
        "unit_of_measure": "piece",
        "barcodes": ["4006381333931", "TP-1"],
        "category_id": 0,
        "category": "Kitchen",
        "supplier_id": None,
        "supplier": None,
        "owner_id": 2,
        "is_active": True,
        "image_url": None,
        "version": 1,
        "created_at": "",
        "updated_at": "",
        "deleted_at": None,
        "quantity_in_stock": 0,
        "available": 0,
        "low_stock_threshold": 2.5,
        "stock": [],
    }


async def test_create_product_with_price_sets_unit_price_and_default_threshold(seller: AsyncClient) -> None:
    answer = await seller.post("/products", json={"name": "Cup", "sku": "CUP", "price": 3})

    assert answer.status_code == 201
    assert (answer.json()["unit_price"], answer.json()["low_stock_threshold"]) == ("3.00", 10)


@pytest.mark.parametrize(
    "fields",
    [
        {"nmae": "misspelt"},
        {"name": ""},
        {"sku": "x" * 101},
        {"sku": "a\u0000b"},
        {"supplier_id": True},
        {"unit_price": -1},
        {"unit_price": "1.23456"},
        {"unit_price": "NaN"},
        {"quantity": -1},
        {"quantity": 0.0001},
        {"barcodes": ["1", "1"]},
        {"barcodes": ["has space"]},
        {"category": "A", "category_id": 1},
        {"unit_price": 1, "price": 2},
    ],
)
async def test_create_product_with_invalid_field_is_rejected(seller: AsyncClient, fields: dict[str, Any]) -> None:
    answer = await seller.post("/products", json=TEAPOT | fields)

    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_create_product_with_unknown_reference_is_not_found(seller: AsyncClient) -> None:
    for field, code in (("category_id", "unknown_category"), ("supplier_id", "unknown_supplier")):
        answer = await seller.post("/products", json=TEAPOT | {field: 77})
        assert (answer.status_code, answer.json()["code"]) == (404, code)


async def test_create_product_with_taken_sku_in_other_case_conflicts_until_deletion(seller: AsyncClient) -> None:
    made = await make(seller)

    again = await seller.post("/products", json=TEAPOT | {"sku": "tea-1"})
    assert (again.status_code, again.json()["code"]) == (409, "duplicate_sku")

    await seller.delete(f"/products/{made['id']}")
    await make(seller, sku="tea-1")


async def test_update_product_with_taken_barcode_conflicts_until_release(seller: AsyncClient) -> None:
    first = await make(seller, barcodes=["111", "222"])
    second = await make(seller, sku="TEA-2", barcodes=["333"])

    taken = await seller.patch(f"/products/{second['id']}", json={"barcodes": ["333", "222"]})
    assert (taken.status_code, taken.json()["code"]) == (409, "duplicate_barcode")

    await seller.patch(f"/products/{first['id']}", json={"barcodes": ["111"]})
    freed = await seller.patch(f"/products/{second['id']}", json={"barcodes": ["333", "222"]})
    assert freed.json()["barcodes"] == ["333", "222"]


async def test_get_product_by_sku_or_barcode_returns_the_product(seller: AsyncClient) -> None:
    made = await make(seller, sku="A/B 1", barcodes=["4006381333931"])

    by_sku = await seller.get("/products/by-sku/a%2Fb%201")
    by_barcode = await seller.get("/products/by-barcode/4006381333931")

    assert by_sku.json() == by_barcode.json() == made
    for path in ("by-sku/nothing", "by-barcode/nothing", "by-sku/%00", "4711"):
        answer = await seller.get(f"/products/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_product")


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_update_product_without_a_field_keeps_its_value(manager: AsyncClient, method: str) -> None:
    made = await make(manager, description="Blue", cost_price="5", category="Kitchen")

    answer = await manager.request(method, f"/products/{made['id']}", json={"price": "21", "cost_price": None})

    assert answer.status_code == 200
    changed = answer.json()
    assert changed["updated_at"] > made["updated_at"]
    assert changed == made | {
        "unit_price": "21.00",
        "cost_price": None,
        "version": 2,
        "updated_at": changed["updated_at"],
    }


async def test_update_product_with_equal_values_keeps_version(service: Any, seller: AsyncClient) -> None:
    made = await make(seller)

    answer = await seller.patch(f"/products/{made['id']}", json={"name": "Teapot", "unit_price": 19.9})

    assert answer.json() == made


async def test_update_product_with_null_in_required_field_is_rejected(seller: AsyncClient) -> None:
    made = await make(seller)

    for field in ("name", "sku", "unit_price", "is_active"):
        answer = await seller.patch(f"/products/{made['id']}", json={field: None})
        assert answer.status_code == 422


async def test_update_product_with_stale_etag_fails(seller: AsyncClient) -> None:
    made = await seller.post("/products", json=TEAPOT)
    path, tag = f"/products/{made.json()['id']}", made.headers["etag"]
    assert (await seller.get(path)).headers["etag"] == tag

    accepted = await seller.put(path, json={"name": "Pot"}, headers={"If-Match": tag})
    stale = await seller.put(path, json={"name": "Kettle"}, headers={"If-Match": tag})
    stale_deletion = await seller.delete(path, headers={"If-Match": tag})

    assert accepted.status_code == 200
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_etag")
    assert stale_deletion.status_code == 412
    assert (await seller.get(path)).json()["name"] == "Pot"


async def test_get_product_with_current_etag_is_not_modified(service: Any, seller: AsyncClient, samples: Any) -> None:
    made = await seller.post("/products", json=TEAPOT)
    path, tag = f"/products/{made.json()['id']}", made.headers["etag"]

    assert (await seller.get(path, headers={"If-None-Match": tag})).status_code == 304
    # The response includes the stock, but changed stock does not make an edit stale.
    await service.publish(samples.level(made.json()["id"], 4))
    fresh = await seller.get(path, headers={"If-None-Match": tag})
    edit = await seller.patch(path, json={"name": "Pot"}, headers={"If-Match": tag})

    assert (fresh.status_code, fresh.json()["quantity_in_stock"]) == (200, 4)
    assert edit.status_code == 200


async def test_update_product_by_other_salesperson_is_forbidden(
    service: Any, seller: AsyncClient, manager: AsyncClient
) -> None:
    made = await make(seller)
    path = f"/products/{made['id']}"
    async with service.client(6) as other:
        refusals = [
            await other.put(path, json={"name": "Mine"}),
            await other.patch(path, json={"name": "Mine"}),
            await other.delete(path),
        ]
        assert (await other.get(path)).status_code == 200
    assert [(r.status_code, r.json()["code"]) for r in refusals] == [(403, "not_owner")] * 3

    assert (await seller.patch(path, json={"name": "Ours"})).status_code == 200
    assert (await manager.patch(path, json={"name": "Everybody's"})).status_code == 200


async def test_products_without_credentials_are_unauthorized(service: Any) -> None:
    async with service.client() as anonymous:
        for method, path in (("GET", ""), ("POST", ""), ("GET", "/1"), ("PUT", "/1"), ("DELETE", "/1")):
            answer = await anonymous.request(method, f"/products{path}")
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"


async def test_deleted_product_is_visible_to_managers_only(seller: AsyncClient, manager: AsyncClient) -> None:
    made = await make(seller, barcodes=["111"])
    path = f"/products/{made['id']}"

    assert (await seller.delete(path)).status_code == 204

    for gone in (path, "/products/by-sku/TEA-1", "/products/by-barcode/111"):
        assert (await seller.get(gone)).status_code == 404
    assert (await seller.delete(path)).status_code == 404
    assert (await seller.patch(path, json={"name": "Back"})).status_code == 404
    assert (await seller.get("/products")).json()["total"] == 0
    assert (await seller.get(path, params={"include_deleted": True})).status_code == 403
    kept = (await manager.get(path, params={"include_deleted": True})).json()
    assert kept["deleted_at"] is not None
    assert kept["name"] == "Teapot"


async def test_restore_product_returns_it_to_lookups(seller: AsyncClient) -> None:
    made = await make(seller, barcodes=["111"], category="Kitchen")
    path = f"/products/{made['id']}"
    await seller.delete(path)

    restored = await seller.post(f"{path}/restore")

    assert restored.status_code == 200
    assert restored.json() == made | {"version": 3, "updated_at": restored.json()["updated_at"]}
    assert (await seller.get("/products/by-barcode/111")).json() == restored.json()
    again = await seller.post(f"{path}/restore")
    assert (again.status_code, again.json()["code"]) == (409, "not_deleted")


@pytest.mark.parametrize(
    ("fields", "code"), [({"sku": "tea-1"}, "duplicate_sku"), ({"barcodes": ["1"]}, "duplicate_barcode")]
)
async def test_restore_product_with_taken_code_conflicts(
    seller: AsyncClient, fields: dict[str, Any], code: str
) -> None:
    made = await make(seller, barcodes=["1"])
    await seller.delete(f"/products/{made['id']}")
    await make(seller, **({"sku": "other"} | fields))

    answer = await seller.post(f"/products/{made['id']}/restore")

    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert (await seller.get(f"/products/{made['id']}")).status_code == 404


async def test_create_product_with_repeated_key_creates_one(seller: AsyncClient) -> None:
    first = await seller.post("/products", json=TEAPOT, headers={"Idempotency-Key": "till-1"})
    again = await seller.post("/products", json=TEAPOT, headers={"Idempotency-Key": "till-1"})

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert (await seller.get("/products")).json()["total"] == 1


async def test_product_changes_publish_events_with_full_state(service: Any, seller: AsyncClient, samples: Any) -> None:
    made = await make(seller, category="Kitchen", quantity=12, cost_price="5")
    path = f"/products/{made['id']}"
    await seller.patch(path, json={"name": "Pot", "category": "Tea"})
    await service.publish(samples.level(made["id"], 0, version=2))
    await seller.delete(path)
    await seller.post(f"{path}/restore")

    [created] = await service.events.wait_for("catalog.product.created")
    assert (created["product_id"], created["version"], created["sku"]) == (made["id"], 1, "TEA-1")
    assert (created["opening_quantity"], created["cost_price"], created["category"]) == (12, "5.00", "Kitchen")
    [updated] = await service.events.wait_for("catalog.product.updated")
    assert (updated["version"], updated["name"], updated["category"]) == (2, "Pot", "Tea")
    assert updated["changes"] == ["category_id", "name"]
    [deleted] = await service.events.wait_for("catalog.product.deleted")
    assert (deleted["version"], deleted["deleted"]) == (3, True)
    [restored] = await service.events.wait_for("catalog.product.restored")
    assert (restored["version"], restored["deleted"]) == (4, False)
    assert [event["name"] for event in await service.events.wait_for("catalog.category.created", 2)] == [
        "Kitchen",
        "Tea",
    ]
