"""Cached pages are those of the current catalogue, and unchanged ones are not read again."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from httpx2 import AsyncClient

from stockbuddy.catalog.settings import CatalogSettings

DEADLINE_SECONDS = 120
QUERIES: list[dict[str, Any]] = [
    {},
    {"search": "tea"},
    {"category": "Kitchen"},
    {"sort_by": "stock_desc"},
    {"in_stock": True},
    {"low_stock": True},
    {"page_size": 1, "page": 2},
]


@pytest.fixture
async def database(settings: CatalogSettings) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(settings.database_url, server_settings={"search_path": "catalog"})
    yield connection
    await connection.close()


async def read_lists(client: AsyncClient) -> list[Any]:
    answers = [await client.get("/products", params=query) for query in QUERIES]
    return [answer.json() for answer in answers]


async def test_cached_pages_show_every_change_of_another_replica(start: Any, samples: Any) -> None:
    warm, writing = await start(), await start()
    async with warm.client(5) as reader, writing.client(2, "admin") as writer:

        async def create(sku: str, name: str, **fields: Any) -> int:
            body = {"sku": sku, "name": name, "unit_price": 1} | fields
            product_id: int = (await writer.post("/products", json=body)).json()["id"]
            return product_id

        teapot = await create("A", "Teapot", category="Kitchen")
        lamp = await create("B", "Lamp")
        kitchen = (await writer.get("/categories")).json()["items"][0]["id"]
        changes: list[Any] = [
            lambda: writing.publish(samples.level(teapot, 3)),
            lambda: writing.publish(samples.level(lamp, "4.5")),
            lambda: writing.publish(samples.settings(2, 4)),
            lambda: writing.publish(samples.level(teapot, 9, version=2)),
            lambda: writer.patch(f"/products/{lamp}", json={"name": "Tea lamp", "category": "Kitchen"}),
            lambda: writer.patch(f"/categories/{kitchen}", json={"name": "Kitchenware"}),
            lambda: create("C", "Tea"),
            lambda: writing.publish(samples.level(teapot, 0, version=3)),
            lambda: writer.delete(f"/products/{teapot}"),
            lambda: writer.post(f"/products/{teapot}/restore", json={}),
        ]
        for change in changes:
            before = await read_lists(reader)
            assert await read_lists(reader) == before
            await change()
            # A replica that has cached nothing.
            cold = await start()
            async with cold.client(5) as fresh:
                expected = await read_lists(fresh)
            await cold.stop()
            assert expected != before
            assert await read_lists(reader) == expected


async def test_unchanged_page_is_not_read_again(start: Any, samples: Any, database: asyncpg.Connection) -> None:
    replica = await start()
    requests, products = 40, 10
    async with replica.client(5) as client:
        for number in range(products):
            await client.post("/products", json={"name": f"Tea {number}", "sku": f"S{number}", "unit_price": 1})
        before = await cards_read(database)
        for number in range(requests):
            # A change of stock leaves the page as it is.
            await replica.publish(samples.level(1, number, version=number + 1))
            page = (await client.get("/products")).json()
            assert (len(page["items"]), page["items"][-1]["quantity_in_stock"]) == (products, number)
    await replica.stop()
    await until_disconnected(database)
    assert await cards_read(database) - before < requests * products / 2


async def until_disconnected(database: asyncpg.Connection) -> None:
    """The server counts the reads of a connection at the latest when it closes."""
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    async with asyncio.timeout(DEADLINE_SECONDS):
        while await database.fetchval(f"{others} AND backend_type = 'client backend'"):
            await asyncio.sleep(0.01)


async def cards_read(database: asyncpg.Connection) -> int:
    count: int = await database.fetchval(
        "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relname = 'product_card'"
    )
    return count
