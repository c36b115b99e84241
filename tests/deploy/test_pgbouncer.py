"""The whole system through PgBouncer in transaction mode, with fewer server sessions than connections."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import httpx2 as httpx
import pytest
from aiohttp import web

from stockbuddy.chassis.testing.clients import PASSWORD, User, register
from stockbuddy.chassis.testing.pgbouncer import PooledPostgres, pooled_postgres_server
from stockbuddy.embedded.api_client import ApiClient
from tests.deploy.conftest import NAMES, Serve
from tests.faults.deployment import migrate_as_owners
from tests.faults.load import Load, without_retries
from tests.faults.verification import Verifier

SERVER_SESSIONS = 3
"""Of each service, whose own pool has twenty connections."""
LOADS = ("a", "b")
REQUESTS = 150
CONCURRENT_COUNTS = 40
TIMEOUT_SECONDS = 90


@pytest.fixture
def pooled(root: Path) -> Iterator[PooledPostgres]:
    with pooled_postgres_server(NAMES, root / "deploy", default_pool_size=str(SERVER_SESSIONS)) as pooled:
        yield pooled


@pytest.fixture
async def http(pooled: PooledPostgres, serve: Serve) -> AsyncIterator[httpx.AsyncClient]:
    await migrate_as_owners(pooled.server.url)
    settings = {"database_pooler": pooled.pgbouncer.address, "webhook_allow_private": True}
    async with serve(pooled.server.url, **settings) as client:
        yield client


@pytest.fixture
async def admin(http: httpx.AsyncClient) -> User:
    return await register(http, "ada", path="/auth/admin/register")


@pytest.fixture
async def deliveries() -> AsyncIterator[tuple[str, asyncio.Queue[Any]]]:
    """The URL of a receiver of webhooks, and what it receives."""
    received: asyncio.Queue[Any] = asyncio.Queue()

    async def receive(request: web.Request) -> web.Response:
        await received.put(await request.json())
        return web.Response()

    app = web.Application()
    app.router.add_post("/", receive)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/", received
    await runner.cleanup()


def most_sessions(pooled: PooledPostgres) -> int:
    """The most server sessions that a service has at the moment."""
    servers = [row["user"] for row in pooled.pgbouncer.command("SHOW SERVERS")]
    return max(servers.count(name) for name in NAMES)


async def test_writes_lists_jobs_and_deliveries_work_with_few_sessions(
    admin: User, deliveries: tuple[str, asyncio.Queue[Any]], pooled: PooledPostgres
) -> None:
    url, received = deliveries
    await admin.post("/webhooks", {"url": url, "event_types": ["stock.sale.completed"]})
    products = [
        await admin.post(
            "/products",
            {"sku": f"P-{n}", "name": f"Lamp {n}", "unit_price": "9.90", "quantity": 20, "low_stock_threshold": 10},
        )
        for n in range(5)
    ]
    purchases = [
        {"product_id": product["id"], "movement_type": "purchase", "quantity": 5, "unit_cost": "4"}
        for product in products
    ]
    batch = {"movements": purchases}
    assert await admin.post("/stock-movements/batch", batch, key="b") == (
        await admin.post("/stock-movements/batch", batch, key="b")
    )
    lines = [{"product_id": product["id"], "quantity": 16} for product in products]
    sale = await admin.post("/sales", {"lines": lines}, key="till-1")
    await admin.until("/products", lambda page: all(item["quantity_in_stock"] == 9 for item in page["items"]))
    assert (await admin.get("/products", search="lamp", page_size=2))["total"] == 5
    async with asyncio.timeout(TIMEOUT_SECONDS):
        assert (await received.get())["data"]["id"] == sale["id"]
    await admin.until("/notifications", lambda page: len(page["items"]) >= len(products))
    for path in ("/reports/sales?group_by=product&tz=UTC", "/reports/inventory-valuation?method=fifo"):
        synchronous = await admin.call("GET", path)
        assert synchronous.status_code == 200, synchronous.text
        job = (await admin.call("GET", path, headers={"Prefer": "respond-async"})).json()
        url = job["url"].removeprefix("/api/v1")
        await admin.until(url, lambda job: job["state"] == "done")
        assert (await admin.call("GET", f"{url}/result")).content == synchronous.content
    count = await admin.post("/stock-counts", {"product_ids": [products[0]["id"]]}, key="count")
    assert len(count["lines"]) == 1
    assert (await admin.get("/audit-logs/verify"))["ok"] is True
    assert 0 < most_sessions(pooled) <= SERVER_SESSIONS


async def test_totals_agree_after_concurrent_load(admin: User, http: httpx.AsyncClient, pooled: PooledPostgres) -> None:
    async with aiohttp.ClientSession(base_url=str(http.base_url)) as session:
        client = ApiClient(session, admin.username, PASSWORD)
        await client.log_in()
        verifier = Verifier(pooled.server.url, client)
        loads = [Load(await without_retries(client), name) for name in LOADS]
        async with AsyncExitStack() as running:
            for load in loads:
                await load.create_products()
                await running.enter_async_context(load.running())
            for load in loads:
                await load.wait_until_acknowledged(REQUESTS)
                page = await admin.get("/products", search=load.name, page_size=5)
                assert page["total"] > 0
            assert most_sessions(pooled) <= SERVER_SESSIONS
        for load in loads:
            await verifier.verify("PgBouncer", load)
    assert (await admin.get("/audit-logs/verify"))["ok"] is True


async def test_more_documents_than_sessions_are_created_at_once(admin: User) -> None:
    """A request whose transaction has begun finds products through it, not through a second session."""
    product = await admin.post("/products", {"sku": "MUG", "name": "Mug", "unit_price": "7.50", "quantity": 1})
    await admin.until(f"/products/{product['id']}", lambda found: found["quantity_in_stock"] == 1)
    counts = await asyncio.gather(
        *(
            admin.post("/stock-counts", {"product_ids": [product["id"]]}, key=f"count-{number}")
            for number in range(CONCURRENT_COUNTS)
        )
    )
    assert len({count["id"] for count in counts}) == CONCURRENT_COUNTS
