"""The connections of the read pool are assigned in the order of the requests."""

import asyncio
from typing import Any

from stockbuddy.catalog.read_pool import ReadPool


async def test_read_pool_with_a_repeating_task_serves_waiting_tasks_in_order(start: Any, settings: Any) -> None:
    await start()
    pool = ReadPool(settings.database_url, "catalog", size=1)
    done: list[str] = []

    async def fetch(name: str, times: int) -> None:
        for _ in range(times):
            await pool.fetch("SELECT 1")
            done.append(name)

    await asyncio.gather(fetch("repeating", 20), fetch("second", 1), fetch("third", 1))
    await pool.close()

    assert done[:3] == ["repeating", "second", "third"]
