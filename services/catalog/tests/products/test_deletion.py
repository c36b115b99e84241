"""Deleting a product that is in use, and restoring one whose SKU or barcode was given to another."""

from typing import Any

import pytest
from httpx2 import AsyncClient

TEAPOT = {"name": "Teapot", "sku": "TEA-1", "unit_price": "19.9"}


async def make(client: AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await client.post("/products", json=TEAPOT | fields)
    assert answer.status_code == 201, answer.text
    product: dict[str, Any] = answer.json()
    return product


@pytest.mark.parametrize("level", [{"on_hand": 3}, {"on_hand": 0, "reserved": 2}, {"on_hand": -1}])
async def test_product_with_stock_is_not_deleted(
    service: Any, seller: AsyncClient, samples: Any, level: dict[str, Any]
) -> None:
    made = await make(seller)
    path = f"/products/{made['id']}"
    await service.publish(samples.warehouse(1), samples.level(made["id"], **level))

    refused = await seller.delete(path)

    assert (refused.status_code, refused.json()["code"]) == (409, "product_in_use")
    shown = {"warehouse_id": 1, "warehouse": "Main", "on_hand": level["on_hand"], "reserved": level.get("reserved", 0)}
    assert refused.json()["stock"] == [shown]
    await service.publish(samples.level(made["id"], 0, version=2))
    assert (await seller.delete(path)).status_code == 204


async def test_restore_with_taken_sku_names_the_other_and_accepts_a_new_one(seller: AsyncClient) -> None:
    made = await make(seller)
    await seller.delete(f"/products/{made['id']}")
    other = await make(seller, sku="tea-1", name="Kettle")
    path = f"/products/{made['id']}/restore"

    for body in (None, {"sku": "Tea-1"}):
        refused = await seller.post(path, json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "duplicate_sku")
        assert refused.json()["product"] == {"id": other["id"], "sku": "tea-1", "name": "Kettle"}
    for wrong in ({"sku": None}, {"sku": ""}, {"name": "x"}):
        assert (await seller.post(path, json=wrong)).status_code == 422
    restored = await seller.post(path, json={"sku": "TEA-2"})

    assert restored.status_code == 200, restored.text
    assert restored.json() | {"sku": "TEA-2"} == restored.json()
    assert (await seller.get("/products/by-sku/TEA-2")).json()["id"] == made["id"]


async def test_restore_with_taken_barcode_names_the_other(seller: AsyncClient) -> None:
    made = await make(seller, barcodes=["4006381333931"])
    await seller.delete(f"/products/{made['id']}")
    other = await make(seller, sku="B", barcodes=["04006381333931"])

    refused = await seller.post(f"/products/{made['id']}/restore")

    assert (refused.status_code, refused.json()["code"]) == (409, "duplicate_barcode")
    assert refused.json()["product"]["id"] == other["id"]


async def test_product_is_not_deleted_before_its_opening_stock_is_posted(
    service: Any, seller: AsyncClient, samples: Any
) -> None:
    await service.publish(samples.warehouse(1))
    made = await make(seller, quantity=3)
    path = f"/products/{made['id']}"

    early = await seller.delete(path)
    await service.publish(samples.level(made["id"], 3))
    in_stock = await seller.delete(path)
    await service.publish(samples.level(made["id"], 0, version=2))

    assert [(answer.status_code, answer.json()["code"]) for answer in (early, in_stock)] == [
        (409, "product_in_use"),
        (409, "product_in_use"),
    ]
    assert (await seller.delete(path)).status_code == 204
