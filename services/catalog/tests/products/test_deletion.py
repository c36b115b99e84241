"""Deleting a product that is in use, and restoring one whose SKU or barcode was given to another."""

from typing import Any

import pytest
from httpx2 import AsyncClient

from stockbuddy.contracts.stock import (
    PurchaseDrafted,
    PurchaseOrdered,
    PurchaseReceived,
    PurchaseState,
    TransferCreated,
    TransferReceived,
    TransferShipped,
    TransferState,
)

MOMENT = "2026-03-01T12:00:00Z"
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


def order(product_id: int, event: type[PurchaseState], version: int, status: str, outstanding: int) -> PurchaseState:
    line = {"id": 1, "product_id": product_id, "sku": "TEA-1", "name": "Teapot", "quantity": 5, "unit_cost": "2"}
    state = {"id": 3, "version": version, "number": "PO-000003", "status": status, "supplier_id": 7, "warehouse_id": 1}
    amounts = {"total": "10", "received_total": "0", "receipt_id": 1, "receipt": []}
    lines = [{**line, "total": "10", "received": 5 - outstanding, "outstanding": outstanding}]
    times = {"created_at": MOMENT, "updated_at": MOMENT}
    return event.model_validate({**state, **amounts, **times, "supplier": "Leaf & Co", "lines": lines})


def transfer(product_id: int, event: type[TransferState], version: int, status: str, in_transit: int) -> TransferState:
    quantities = {"shipped": 2, "received": 2 - in_transit, "damaged": 0, "returned": 0, "written_off": 0}
    line = {"id": 1, "product_id": product_id, "sku": "TEA-1", "name": "Teapot", "quantity": 2, **quantities}
    state = {"id": 4, "version": version, "number": "TR-000004", "status": status, "created_at": MOMENT, "arrived": []}
    warehouses = {"from_warehouse_id": 1, "to_warehouse_id": 2}
    return event.model_validate({**state, **warehouses, "lines": [{**line, "in_transit": in_transit}]})


async def test_product_in_open_documents_is_not_deleted(service: Any, seller: AsyncClient) -> None:
    made = await make(seller)
    path, product_id = f"/products/{made['id']}", made["id"]

    async def expect_in_use(*documents: dict[str, Any]) -> None:
        refused = await seller.delete(path)
        assert (refused.status_code, refused.json()["code"]) == (409, "product_in_use")
        assert (refused.json()["stock"], refused.json()["documents"]) == ([], list(documents))

    ordered = {"document": "purchase_order", "id": 3, "number": "PO-000003"}
    shipped = {"document": "stock_transfer", "id": 4, "number": "TR-000004"}
    await service.publish(order(product_id, PurchaseDrafted, 1, "draft", 0))
    await expect_in_use(ordered)
    await service.publish(
        order(product_id, PurchaseOrdered, 2, "ordered", 5), transfer(product_id, TransferCreated, 1, "pending", 0)
    )
    await expect_in_use(ordered, shipped)
    await service.publish(
        order(product_id, PurchaseReceived, 4, "received", 0),
        order(product_id, PurchaseReceived, 3, "partially_received", 2),
        transfer(product_id, TransferShipped, 2, "in_transit", 2),
    )
    await expect_in_use(shipped)
    await service.publish(transfer(product_id, TransferReceived, 3, "completed", 0))
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
