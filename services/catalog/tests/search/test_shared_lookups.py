"""Look-ups of concurrent requests, which share reads (ADR 27)."""

import asyncio

from httpx2 import AsyncClient


async def test_concurrent_requests_get_their_own_products(seller: AsyncClient) -> None:
    for number in range(5):
        body = {"sku": f"Tea-{number}", "name": f"Tea {number}", "unit_price": 1, "barcodes": [f"401234500000{number}"]}
        assert (await seller.post("/products", json=body)).status_code == 201
    paths = [f"by-sku/tEA-{number}" for number in range(6)] + [f"by-sku/TEA-{number}" for number in range(6)]
    paths += [f"by-barcode/401234500000{number}" for number in range(6)]
    answers = await asyncio.gather(*(seller.get(f"/products/{path}") for path in paths))

    assert [answer.json().get("name") for answer in answers] == [*(f"Tea {number}" for number in range(5)), None] * 3
    ids = [answer.json()["id"] for answer in answers[:5]]
    by_id = await asyncio.gather(*(seller.get(f"/products/{product_id}") for product_id in [*ids, 10**9]))
    assert [answer.json().get("id") for answer in by_id] == [*ids, None]
    assert by_id[-1].status_code == 404
