"""The replica of stock is correct when the bus repeats, reorders or delivers early."""

import asyncio
import random
from typing import Any

from httpx2 import AsyncClient

from stockbuddy.chassis.testing.chunks import chunks_of
from stockbuddy.contracts.stock import WarehouseUpdated


async def make(client: AsyncClient, sku: str = "TEA-1") -> int:
    answer = await client.post("/products", json={"name": "Teapot", "sku": sku, "unit_price": 1})
    product_id: int = answer.json()["id"]
    return product_id


async def test_product_with_levels_has_stock_per_warehouse_and_totals(
    service: Any, seller: AsyncClient, samples: Any
) -> None:
    product_id = await make(seller)

    await service.publish(samples.warehouse(1, "Main"), samples.warehouse(2, "Shop"))
    await service.publish(
        samples.level(product_id, 5, reserved=2),
        samples.level(product_id, "1.125", lot=7),
        samples.level(product_id, 3, warehouse_id=2),
    )

    shown = (await seller.get(f"/products/{product_id}")).json()
    assert (shown["quantity_in_stock"], shown["available"]) == (9.125, 7.125)
    assert shown["stock"] == [
        {
            "warehouse_id": 1,
            "warehouse": "Main",
            "warehouse_code": "MAIN",
            "on_hand": 6.125,
            "reserved": 2,
            "available": 4.125,
        },
        {
            "warehouse_id": 2,
            "warehouse": "Shop",
            "warehouse_code": "SHOP",
            "on_hand": 3,
            "reserved": 0,
            "available": 3,
        },
    ]
    listed = (await seller.get("/products")).json()["items"][0]
    assert (listed["quantity_in_stock"], listed["available"]) == (9.125, 7.125)


async def test_shuffled_and_repeated_events_keep_newest_level(service: Any, seller: AsyncClient, samples: Any) -> None:
    product_id = await make(seller)
    events = [
        samples.level(product_id, version * warehouse_id, version, warehouse_id=warehouse_id)
        for version in range(1, 9)
        for warehouse_id in (1, 2, 3)
    ]
    shuffled = events * 2
    random.Random(7).shuffle(shuffled)

    for start in range(0, len(shuffled), 5):
        await service.publish(*shuffled[start : start + 5])

    shown = (await seller.get(f"/products/{product_id}")).json()
    assert [level["on_hand"] for level in shown["stock"]] == [8, 16, 24]
    assert shown["quantity_in_stock"] == 48


async def test_replayed_messages_change_nothing(service: Any, seller: AsyncClient, samples: Any) -> None:
    product_id = await make(seller)
    first = await service.publish(samples.level(product_id, 5))
    await service.publish(samples.level(product_id, 2, 2))

    await service.bus.publish(chunks_of(first))

    assert (await seller.get(f"/products/{product_id}")).json()["quantity_in_stock"] == 2


async def test_level_before_its_product_and_warehouse_is_kept(service: Any, seller: AsyncClient, samples: Any) -> None:
    await service.publish(samples.level(1, 4, warehouse_id=9))

    assert await make(seller) == 1
    shown = (await seller.get("/products/1")).json()
    assert shown["quantity_in_stock"] == 4
    assert shown["stock"][0]["warehouse"] is None

    await service.publish(samples.warehouse(9, "Attic"))
    assert (await seller.get("/products/1")).json()["stock"][0]["warehouse"] == "Attic"


async def test_older_warehouse_event_is_ignored(service: Any, seller: AsyncClient, samples: Any) -> None:
    product_id = await make(seller)
    newer = WarehouseUpdated(**samples.warehouse(1, "Cellar").model_dump() | {"version": 3})

    await service.publish(samples.level(product_id, 1), newer, samples.warehouse(1, "Main"))

    assert (await seller.get(f"/products/{product_id}")).json()["stock"][0]["warehouse"] == "Cellar"


async def test_totals_with_concurrent_replicas_are_exact(start: Any, issuer: Any, samples: Any) -> None:
    replicas = [await start(), await start()]
    async with replicas[0].client(5) as seller:
        product_id = await make(seller)

        # Each replica consumes events of other warehouses of the same product, concurrently.
        await asyncio.gather(
            *(
                replica.publish(samples.level(product_id, 1, version, warehouse_id=10 * version + number))
                for version in range(1, 21)
                for number, replica in enumerate(replicas)
            )
        )

        shown = (await seller.get(f"/products/{product_id}")).json()
    assert len(shown["stock"]) == 40
    assert shown["quantity_in_stock"] == 40


async def test_default_threshold_follows_system_settings(service: Any, seller: AsyncClient, samples: Any) -> None:
    product_id = await make(seller)
    await service.publish(samples.level(product_id, 12))

    async def low() -> tuple[int, int]:
        listed = (await seller.get("/products", params={"low_stock": True})).json()
        return listed["total"], (await seller.get(f"/products/{product_id}")).json()["low_stock_threshold"]

    assert await low() == (0, 10)
    await service.publish(samples.settings(2, 12))
    assert await low() == (1, 12)
    await service.publish(samples.settings(1, 5))
    assert await low() == (1, 12)
