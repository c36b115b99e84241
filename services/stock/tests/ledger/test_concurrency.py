"""Concurrent requests: never oversell, and no request fails by a deadlock."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from httpx2 import Response

    from services.stock.tests.conftest import Shop, StartShop


def statuses(responses: list[Response]) -> Counter[int]:
    return Counter(response.status_code for response in responses)


async def sell_one_each(shops: list[Shop], product_id: int, times: int) -> list[Response]:
    return await asyncio.gather(
        *(
            shops[n % len(shops)].admin.call("POST", "/sales", json={"product": product_id, "quantity": 1})
            for n in range(times)
        )
    )


async def test_concurrent_sales_never_oversell(shop: Shop) -> None:
    tea = await shop.product(100)
    responses = await sell_one_each([shop], tea, 200)
    assert statuses(responses) == {201: 100, 409: 100}
    assert {response.json()["code"] for response in responses if response.status_code == 409} == {"insufficient_stock"}
    assert await shop.on_hand(tea) == 0
    await shop.require_integrity()


async def test_concurrent_sales_on_three_replicas_never_oversell(start_shop: StartShop) -> None:
    shops = [await start_shop() for _ in range(3)]
    tea = await shops[0].product(100)
    responses = await sell_one_each(shops, tea, 300)
    assert statuses(responses) == {201: 100, 409: 200}
    assert await shops[1].on_hand(tea) == 0
    await shops[2].require_integrity()


async def test_concurrent_batches_in_random_order_do_not_deadlock(start_shop: StartShop) -> None:
    """Batches of many products in random order, on two replicas, while their levels are created."""
    shops = [await start_shop(), await start_shop()]
    products = [await shops[0].product() for _ in range(8)]
    chance = random.Random(7)

    async def post(shop: Shop) -> Response:
        chosen = chance.sample(products, 5)
        movements = [{"product_id": product, "movement_type": "in", "quantity": 1} for product in chosen]
        return await shop.admin.call("POST", "/stock-movements/batch", json={"movements": movements})

    responses = await asyncio.gather(*(post(shops[n % 2]) for n in range(200)))
    assert statuses(responses) == {200: 200}
    assert sum([await shops[0].on_hand(product) for product in products]) == 1000
    await shops[0].require_integrity()


async def test_refused_posting_does_not_affect_others_in_its_group(shop: Shop) -> None:
    tea, cup = await shop.product(50), await shop.product(0.5)

    async def sell(product_id: int) -> Response:
        return await shop.admin.call("POST", "/sales", json={"product": product_id, "quantity": 1})

    responses = await asyncio.gather(*(sell(product) for _ in range(50) for product in (tea, cup)))
    assert statuses(responses) == {201: 50, 409: 50}
    assert (await shop.on_hand(tea), await shop.on_hand(cup)) == (0, 0.5)


async def test_concurrent_movements_see_the_balance_before_them(shop: Shop) -> None:
    tea = await shop.product(100)
    responses = await asyncio.gather(
        *(
            shop.admin.post("/stock-movements", {"product_id": tea, "movement_type": "out", "quantity": 1})
            for _ in range(100)
        )
    )
    assert sorted(response["balance"] for response in responses) == list(range(100))
    assert all(response["before"] == response["balance"] + 1 for response in responses)
    ordered: list[dict[str, Any]] = sorted(responses, key=lambda response: response["id"])
    assert [response["balance"] for response in ordered] == list(range(99, -1, -1))


async def test_client_disconnect_does_not_affect_other_sales(shop: Shop) -> None:
    tea = await shop.product(100)
    selling = [
        asyncio.create_task(shop.admin.call("POST", "/sales", json={"product": tea, "quantity": 1})) for _ in range(60)
    ]
    for n in range(0, 60, 3):
        await asyncio.sleep(0)
        selling[n].cancel()
    responses = await asyncio.gather(*selling, return_exceptions=True)
    done = [response for response in responses if not isinstance(response, BaseException)]
    assert len(done) >= 40
    assert statuses(done) == {201: len(done)}
    sales = (await shop.admin.get("/sales"))["total"]
    assert len(done) <= sales <= 60
    assert await shop.on_hand(tea) == 100 - sales
    await shop.require_integrity()
