"""Reads that concurrent requests share."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from stockbuddy.chassis.runtime.batched_reads import BatchedReads

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
