"""Opening stock (`quantity` of a new product): who may open it, and what the response shows."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx2 import AsyncClient

TEAPOT = {"name": "Teapot", "sku": "TEA-1", "unit_price": "19.9"}


@pytest.fixture
async def restricted(service: Any) -> AsyncIterator[AsyncClient]:
    """A manager restricted to warehouse 2."""
    async with service.client(3, "manager", warehouse_ids=[2]) as client:
        yield client


async def test_opening_stock_outside_the_callers_warehouses_is_forbidden(
    service: Any, restricted: AsyncClient, samples: Any
) -> None:
    await service.publish(samples.warehouse(1), samples.warehouse(2, "Shop"))

    refused = await restricted.post("/products", json=TEAPOT | {"quantity": 5})
    accepted = [await restricted.post("/products", json=TEAPOT | {"sku": f"S{q}", "quantity": q}) for q in (0, None)]

    assert (refused.status_code, refused.json()["code"]) == (403, "warehouse_forbidden")
    assert [answer.status_code for answer in accepted] == [201, 201]
    assert (await restricted.get("/products/by-sku/TEA-1")).status_code == 404


async def test_opening_stock_is_forbidden_while_the_default_warehouse_is_unknown(restricted: AsyncClient) -> None:
    assert (await restricted.post("/products", json=TEAPOT | {"quantity": 5})).status_code == 403


async def test_opening_stock_in_the_callers_warehouse_is_published_with_its_restriction(
    service: Any, restricted: AsyncClient, samples: Any
) -> None:
    await service.publish(samples.warehouse(1, is_default=False), samples.warehouse(2, "Shop", is_default=True))

    answer = await restricted.post("/products", json=TEAPOT | {"quantity": 5})

    assert answer.status_code == 201, answer.text
    [created] = await service.events.wait_for("catalog.product.created")
    assert (created["opening_quantity"], created["opening_warehouse_ids"]) == (5, [2])


@pytest.mark.parametrize("field", ["quantity", "quantity_in_stock"])
async def test_response_shows_the_opening_stock(service: Any, seller: AsyncClient, samples: Any, field: str) -> None:
    await service.publish(samples.warehouse(1, "Main"))

    made = (await seller.post("/products", json=TEAPOT | {field: "2.5"})).json()

    assert (made["quantity_in_stock"], made["available"]) == (2.5, 2.5)
    level = {"warehouse_id": 1, "warehouse": "Main", "warehouse_code": "MAIN"}
    assert made["stock"] == [level | {"on_hand": 2.5, "reserved": 0, "available": 2.5}]
    await service.publish(samples.level(made["id"], "2.5"))
    assert (await seller.get(f"/products/{made['id']}")).json() == made


@pytest.mark.parametrize("field", ["quantity", "quantity_in_stock"])
async def test_update_of_the_quantity_names_the_movement_to_post(seller: AsyncClient, field: str) -> None:
    made = (await seller.post("/products", json=TEAPOT)).json()

    for send in (seller.patch, seller.put):
        answer = await send(f"/products/{made['id']}", json={field: 5})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
        assert "/stock-movements" in answer.json()["errors"][0]["message"]
