"""Connections lost under load: every accepted request takes effect once, every refused one never."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncpg
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from services.stock.tests.conftest import Shop

from services.stock.tests.ledger.interception import Fault, Interceptor

KILL = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'stock' AND pid <> pg_backend_pid()
"""


async def test_killed_connections_neither_lose_nor_repeat_sales(shop: Shop, database: asyncpg.Connection) -> None:
    products = [await shop.product(1_000) for _ in range(4)]
    stop = asyncio.Event()
    accepted: list[int] = []
    refused: list[int] = []

    async def till(number: int) -> None:
        sold = 0
        while not stop.is_set():
            product = products[(number + sold) % len(products)]
            response = await shop.admin.call("POST", "/sales", json={"product": product, "quantity": 1})
            (accepted if response.status_code == 201 else refused).append(response.status_code)
            sold += 1

    tills = [asyncio.create_task(till(number)) for number in range(16)]
    for _ in range(25):
        before = len(accepted)
        await database.execute(KILL)
        async with asyncio.timeout(60):
            while len(accepted) < before + 10:
                await asyncio.sleep(0.005)
    stop.set()
    await asyncio.gather(*tills)
    left = sum([await shop.on_hand(product) for product in products])
    assert not refused, "a lost connection failed a request"
    assert (await shop.admin.get("/sales"))["total"] == len(accepted)
    assert left == 4_000 - len(accepted)
    await shop.require_integrity()
    await shop.wait_until_published()
    assert len(shop.bus.events("stock.sale.completed")) >= len(accepted)
    assert len({event["id"] for event in shop.bus.events("stock.sale.completed")}) == len(accepted)


@pytest.mark.parametrize("fault", Fault)
async def test_lost_commit_is_resolved_and_applied_once(
    database_url: str, run_shop: Callable[[str], AbstractAsyncContextManager[Shop]], fault: Fault
) -> None:
    """Every request of the group gets its response, and takes effect once."""
    interceptor = Interceptor(database_url)
    async with interceptor.listening() as url, run_shop(url) as shop:
        tea = await shop.product(100)
        await shop.wait_until_published()
        for key in ("first", None, "third"):
            interceptor.fault = fault
            responses = await asyncio.gather(
                *(shop.admin.call("POST", "/sales", json={"product": tea, "quantity": 1}, key=key) for _ in range(5))
            )
            assert {response.status_code for response in responses} == {201}
        assert interceptor.met == 3
        assert await shop.on_hand(tea) == 93
        assert (await shop.admin.get("/sales"))["total"] == 7
        await shop.require_integrity()
