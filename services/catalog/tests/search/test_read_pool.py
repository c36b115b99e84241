"""The connections of the hot reads are shared in the order of asking."""

import asyncio
from typing import Any

from stockbuddy.catalog.readers import Readers


async def test_who_asks_again_and_again_overtakes_nobody(start: Any, settings: Any) -> None:
    await start()
    readers = Readers(settings.database_url, "catalog", size=1)
    done: list[str] = []

    async def ask(name: str, times: int) -> None:
        for _ in range(times):
            await readers.fetch("SELECT 1")
            done.append(name)

    await asyncio.gather(ask("greedy", 20), ask("patient", 1), ask("other", 1))
    await readers.close()

    assert done[:3] == ["greedy", "patient", "other"]
