"""Reads that concurrent requests share."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from httpx2 import AsyncClient

from stockbuddy.catalog.batched_reads import BatchedReads

DEADLINE_SECONDS = 120


async def test_concurrent_calls_share_a_read_that_begins_after_them() -> None:
    begun: list[list[str]] = []
    may_end = asyncio.Event()

    async def read(keys: Sequence[str]) -> Mapping[str, tuple[str, int]]:
        begun.append(sorted(keys))
        number = len(begun)
        await may_end.wait()
        return {key: (key, number) for key in keys if key != "unknown"}

    reads = BatchedReads(read)
    first = asyncio.create_task(reads.find("a"))
    while not begun:
        await asyncio.sleep(0)
    later = [asyncio.create_task(reads.find(key)) for key in ("cancelled", "a", "b", "b", "unknown")]
    await asyncio.sleep(0)
    later[0].cancel()
    may_end.set()
    async with asyncio.timeout(DEADLINE_SECONDS):
        assert await first == ("a", 1)
        assert await asyncio.gather(*later[1:]) == [("a", 2), ("b", 2), ("b", 2), None]
    assert begun == [["a"], ["a", "b", "cancelled", "unknown"]]


async def test_failed_read_is_repeated_by_the_next_call() -> None:
    outcomes = iter([OSError("away"), None])

    async def read(keys: Sequence[int]) -> Mapping[int, str]:
        if (error := next(outcomes)) is not None:
            raise error
        return dict.fromkeys(keys, "read")

    reads = BatchedReads(read)
    with pytest.raises(OSError, match="away"):
        await reads.find(1)
    assert await reads.find(1) == "read"


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
