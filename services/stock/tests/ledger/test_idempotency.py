"""Idempotency keys: one effect, and the first response for every repetition."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from stockbuddy.contracts.catalog import SupplierCreated

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop, StartShop


async def test_concurrent_requests_with_one_key_take_effect_once(shop: Shop) -> None:
    tea = await shop.product(100)
    body = {"product": tea, "quantity": 1}
    responses = await asyncio.gather(*(shop.admin.call("POST", "/sales", json=body, key="till-1") for _ in range(50)))
    assert {response.status_code for response in responses} == {201}
    assert len({response.content for response in responses}) == 1
    assert sum(response.headers.get("Idempotent-Replayed") == "true" for response in responses) == 49
    assert await shop.on_hand(tea) == 99
    assert (await shop.admin.get("/sales"))["total"] == 1


async def test_requests_with_one_key_to_several_replicas_take_effect_once(start_shop: StartShop) -> None:
    shops = [await start_shop(), await start_shop()]
    tea = await shops[0].product(100)
    for key in ("a", "b", "c"):
        body = {"product_id": tea, "movement_type": "out", "quantity": 1}
        responses = await asyncio.gather(
            *(shops[n % 2].admin.call("POST", "/stock-movements", json=body, key=key) for n in range(50))
        )
        assert {response.status_code for response in responses} == {201}
        assert len({response.content for response in responses}) == 1
    assert await shops[0].on_hand(tea) == 97


async def test_reused_key_with_another_body_is_rejected(shop: Shop) -> None:
    """Also if both arrive concurrently."""
    tea = await shop.product(100)
    bodies = [{"product": tea, "quantity": quantity} for quantity in (1, 2)] * 10
    responses = await asyncio.gather(*(shop.admin.call("POST", "/sales", json=body, key="till-1") for body in bodies))
    assert sorted(response.status_code for response in responses) == [201] * 10 + [422] * 10
    assert {a.json()["code"] for a in responses if a.status_code == 422} == {"idempotency_key_reused"}
    assert (await shop.admin.get("/sales"))["total"] == 1


async def test_key_with_reformatted_json_is_replayed(shop: Shop) -> None:
    tea = await shop.product(100)
    json = {"content-type": "application/json"}
    for body in (f'{{"product": {tea}, "quantity": 1}}', f'{{ "quantity":1,"product":{tea} }}'):
        response = await shop.admin.call("POST", "/sales", content=body, headers=json, key="till-1")
        assert response.status_code == 201
    assert await shop.on_hand(tea) == 99


async def test_same_key_of_another_caller_takes_effect(shop: Shop) -> None:
    tea = await shop.product(100)
    for user_id in (5, 6):
        await shop.caller(user_id).post("/sales", {"product": tea, "quantity": 1}, key="till-1")
    assert await shop.on_hand(tea) == 98


async def test_refused_request_can_be_retried_with_its_key(shop: Shop) -> None:
    tea = await shop.product()
    body = {"product": tea, "quantity": 1}
    assert (await shop.admin.call("POST", "/sales", json=body, key="till-1")).status_code == 409
    await shop.admin.post("/stock-movements", {"product_id": tea, "movement_type": "in", "quantity": 1})
    response = await shop.admin.call("POST", "/sales", json=body, key="till-1")
    assert response.status_code == 201
    assert "Idempotent-Replayed" not in response.headers


async def test_responses_and_their_repetitions_have_the_entity_tag_of_the_document(shop: Shop) -> None:
    await shop.deliver(SupplierCreated(supplier_id=1, version=1, name="Leaf Ltd"))
    tea = await shop.product(10)
    await shop.warehouse("ANNEX")
    line = {"product_id": tea, "quantity": 1}
    sale = {"lines": [line]}
    order = {"supplier_id": 1, "lines": [line | {"unit_cost": "1"}]}
    transfer = line | {"from_warehouse_code": "MAIN", "to_warehouse_code": "ANNEX"}
    for path, body, steps in (
        ("/sales", sale, ["void"]),
        ("/purchase-orders", order, ["order", "receive"]),
        ("/purchase-orders", order, ["cancel"]),
        ("/stock-transfers", transfer, ["ship", "receive"]),
        ("/stock-transfers", transfer, ["complete"]),
        ("/stock-counts", {}, ["approve"]),
        ("/stock-counts", {}, ["cancel"]),
    ):
        document: dict[str, Any] = {}
        for step in (None, *steps):
            url = path if step is None else f"{path}/{document['id']}/{step}"
            repeated = partial(shop.admin.call, "POST", url, json=body if step is None else None, key=f"{url} {steps}")
            first, again = await repeated(), await repeated()
            document = first.json()
            assert first.headers["ETag"] == again.headers["ETag"] == f'"{document["version"]}"'
            assert again.headers["Idempotent-Replayed"] == "true"
            known = {"If-None-Match": first.headers["ETag"]}
            assert (await shop.admin.call("GET", f"{path}/{document['id']}", headers=known)).status_code == 304


async def test_repeated_sale_is_replayed_after_stock_is_sold_out(shop: Shop) -> None:
    tea = await shop.product(10)
    body = {"product": tea, "quantity": 10}
    first = await shop.admin.call("POST", "/sales", json=body, key="till-1")
    again = await shop.admin.call("POST", "/sales", json=body, key="till-1")
    assert (again.status_code, again.content) == (first.status_code, first.content)
