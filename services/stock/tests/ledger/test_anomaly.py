"""Unusual activity: movements far outside the baseline of their level."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop


async def take(shop: Shop, product_id: int, *quantities: float) -> None:
    movements = [{"product_id": product_id, "movement_type": "out", "quantity": quantity} for quantity in quantities]
    await shop.admin.post("/stock-movements/batch", {"movements": movements})


async def unusual(shop: Shop) -> list[float]:
    await shop.wait_until_published()
    return [event["quantity"] for event in shop.bus.events("stock.activity.unusual")]


async def test_unusually_large_movement_is_published(shop: Shop) -> None:
    tea = await shop.product(10_000, sku="TEA")
    chance = random.Random(5)
    await take(shop, tea, *(chance.randint(1, 4) for _ in range(100)))
    assert await unusual(shop) == []
    posted = await shop.caller(1).post(
        "/stock-movements", {"product_id": tea, "movement_type": "damaged", "quantity": 500}
    )
    [event] = await shop.wait_for_events(1, "stock.activity.unusual")
    assert (event["movement_id"], event["sku"], event["performed_by"]) == (posted["id"], "TEA", 1)
    assert 1 < event["typical_quantity"] < 4
    assert event["ratio"] > 100


async def test_large_movement_with_few_samples_is_not_unusual(shop: Shop) -> None:
    tea = await shop.product(10_000)
    await take(shop, tea, *([1] * 10), 5000)
    assert await unusual(shop) == []


async def test_movement_below_the_minimum_ratio_is_not_unusual(shop: Shop) -> None:
    tea = await shop.product(10_000)
    await take(shop, tea, *([2] * 50), 8)
    assert await unusual(shop) == []
    await take(shop, tea, 12)
    assert await unusual(shop) == [-12]


async def test_baseline_adapts_to_a_lasting_change(shop: Shop) -> None:
    tea = await shop.product(100_000)
    await take(shop, tea, *([1] * 50), *([60] * 60))
    count = len(await unusual(shop))
    assert 0 < count < 20
    await take(shop, tea, *([60] * 60))
    assert len(await unusual(shop)) == count


async def test_incoming_movements_have_their_own_baseline(shop: Shop) -> None:
    tea = await shop.product(10_000)
    await take(shop, tea, *([1] * 50))
    await shop.admin.post("/stock-movements", {"product_id": tea, "movement_type": "in", "quantity": 5000})
    assert await unusual(shop) == []
