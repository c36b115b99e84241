"""Products through the service's own door: made, read, changed, deleted, restored, and by whom."""

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


async def test_new_product_is_shown_as_it_was_given(seller: AsyncClient) -> None:
    made = await make(
        seller,
        description="Holds a litre.\nBlue “porcelain”",
        cost_price=7.25,
        unit_of_measure="piece",
        category="Kitchen",
        barcodes=["4006381333931", "TP-1"],
        low_stock_threshold=2.5,
    )

    answer = await seller.get(f"/products/{made['id']}")

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
        "owner_id": 5,
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


async def test_price_stands_for_unit_price_and_the_threshold_has_a_default(seller: AsyncClient) -> None:
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
async def test_what_makes_no_sense_is_refused(seller: AsyncClient, fields: dict[str, Any]) -> None:
    answer = await seller.post("/products", json=TEAPOT | fields)

    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_references_must_exist(seller: AsyncClient) -> None:
    for field, code in (("category_id", "unknown_category"), ("supplier_id", "unknown_supplier")):
        answer = await seller.post("/products", json=TEAPOT | {field: 77})
        assert (answer.status_code, answer.json()["code"]) == (404, code)


async def test_sku_is_unique_among_the_living_whatever_its_case(seller: AsyncClient) -> None:
    made = await make(seller)

    again = await seller.post("/products", json=TEAPOT | {"sku": "tea-1"})
    assert (again.status_code, again.json()["code"]) == (409, "duplicate_sku")

    await seller.delete(f"/products/{made['id']}")
    await make(seller, sku="tea-1")


async def test_barcode_is_unique_among_the_living(seller: AsyncClient) -> None:
    first = await make(seller, barcodes=["111", "222"])
    second = await make(seller, sku="TEA-2", barcodes=["333"])

    taken = await seller.patch(f"/products/{second['id']}", json={"barcodes": ["333", "222"]})
    assert (taken.status_code, taken.json()["code"]) == (409, "duplicate_barcode")

    await seller.patch(f"/products/{first['id']}", json={"barcodes": ["111"]})
    freed = await seller.patch(f"/products/{second['id']}", json={"barcodes": ["333", "222"]})
    assert freed.json()["barcodes"] == ["333", "222"]


async def test_scanners_find_products_by_sku_and_by_barcode(seller: AsyncClient) -> None:
    made = await make(seller, sku="A/B 1", barcodes=["4006381333931"])

    by_sku = await seller.get("/products/by-sku/a%2Fb%201")
    by_barcode = await seller.get("/products/by-barcode/4006381333931")

    assert by_sku.json() == by_barcode.json() == made
    for path in ("by-sku/nothing", "by-barcode/nothing", "by-sku/%00", "4711"):
        answer = await seller.get(f"/products/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_product")


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_what_is_left_out_of_a_change_stays(seller: AsyncClient, method: str) -> None:
    made = await make(seller, description="Blue", cost_price="5", category="Kitchen")

    answer = await seller.request(method, f"/products/{made['id']}", json={"price": "21", "cost_price": None})

    assert answer.status_code == 200
    changed = answer.json()
    assert changed["updated_at"] > made["updated_at"]
    assert changed == made | {
        "unit_price": "21.00",
        "cost_price": None,
        "version": 2,
        "updated_at": changed["updated_at"],
    }


async def test_nothing_new_is_no_new_version(service: Any, seller: AsyncClient) -> None:
    made = await make(seller)

    answer = await seller.patch(f"/products/{made['id']}", json={"name": "Teapot", "unit_price": 19.9})

    assert answer.json() == made


async def test_required_fields_cannot_be_cleared(seller: AsyncClient) -> None:
    made = await make(seller)

    for field in ("name", "sku", "unit_price", "is_active"):
        answer = await seller.patch(f"/products/{made['id']}", json={field: None})
        assert answer.status_code == 422


async def test_a_change_is_refused_to_who_has_missed_one(seller: AsyncClient) -> None:
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


async def test_an_unchanged_product_is_not_sent_again(service: Any, seller: AsyncClient, samples: Any) -> None:
    made = await seller.post("/products", json=TEAPOT)
    path, tag = f"/products/{made.json()['id']}", made.headers["etag"]

    assert (await seller.get(path, headers={"If-None-Match": tag})).status_code == 304
    # Its stock is part of the answer, but a changed stock does not make an edit stale.
    await service.say(samples.level(made.json()["id"], 4))
    fresh = await seller.get(path, headers={"If-None-Match": tag})
    edit = await seller.patch(path, json={"name": "Pot"}, headers={"If-Match": tag})

    assert (fresh.status_code, fresh.json()["quantity_in_stock"]) == (200, 4)
    assert edit.status_code == 200


async def test_salespeople_change_only_their_own(service: Any, seller: AsyncClient, manager: AsyncClient) -> None:
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


async def test_nobody_comes_in_without_credentials(service: Any) -> None:
    async with service.client() as stranger:
        for method, path in (("GET", ""), ("POST", ""), ("GET", "/1"), ("PUT", "/1"), ("DELETE", "/1")):
            answer = await stranger.request(method, f"/products{path}")
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"


async def test_deleted_products_are_gone_but_kept(seller: AsyncClient, manager: AsyncClient) -> None:
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


async def test_restoring_undoes_a_deletion(seller: AsyncClient) -> None:
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
async def test_a_product_whose_name_was_taken_stays_deleted(
    seller: AsyncClient, fields: dict[str, Any], code: str
) -> None:
    made = await make(seller, barcodes=["1"])
    await seller.delete(f"/products/{made['id']}")
    await make(seller, **({"sku": "other"} | fields))

    answer = await seller.post(f"/products/{made['id']}/restore")

    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert (await seller.get(f"/products/{made['id']}")).status_code == 404


async def test_a_repeated_creation_makes_one_product(seller: AsyncClient) -> None:
    first = await seller.post("/products", json=TEAPOT, headers={"Idempotency-Key": "till-1"})
    again = await seller.post("/products", json=TEAPOT, headers={"Idempotency-Key": "till-1"})

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert (await seller.get("/products")).json()["total"] == 1


async def test_every_change_is_an_event_with_the_whole_state(service: Any, seller: AsyncClient) -> None:
    made = await make(seller, category="Kitchen", quantity=12, cost_price="5")
    path = f"/products/{made['id']}"
    await seller.patch(path, json={"name": "Pot", "category": "Tea"})
    await seller.delete(path)
    await seller.post(f"{path}/restore")

    [created] = await service.heard.of("catalog.product.created")
    assert (created["product_id"], created["version"], created["sku"]) == (made["id"], 1, "TEA-1")
    assert (created["opening_quantity"], created["cost_price"], created["category"]) == (12, "5.00", "Kitchen")
    [updated] = await service.heard.of("catalog.product.updated")
    assert (updated["version"], updated["name"], updated["category"]) == (2, "Pot", "Tea")
    assert updated["changes"] == ["category_id", "name"]
    [deleted] = await service.heard.of("catalog.product.deleted")
    assert (deleted["version"], deleted["deleted"]) == (3, True)
    [restored] = await service.heard.of("catalog.product.restored")
    assert (restored["version"], restored["deleted"]) == (4, False)
    assert [event["name"] for event in await service.heard.of("catalog.category.created", 2)] == ["Kitchen", "Tea"]
