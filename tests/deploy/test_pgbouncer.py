"""The whole system through PgBouncer in transaction mode, with fewer server sessions than connections."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import httpx2 as httpx
import pytest
from aiohttp import web

from stockbuddy.chassis.testing.clients import PASSWORD, User, register
from stockbuddy.chassis.testing.pgbouncer import PooledPostgres, pooled_postgres_server
from stockbuddy.embedded.api_client import ApiClient
from tests.deploy.conftest import NAMES, CreateRoles, Serve
from tests.faults.deployment import migrate_as_owners
from tests.faults.load import Load, without_retries
from tests.faults.verification import Verifier

SERVER_SESSIONS = 3
"""Of each service, whose own pool has twenty connections."""
LOADS = ("a", "b")
REQUESTS = 80
CONCURRENT_COUNTS = 40
TIMEOUT_SECONDS = 90
COMPANIES = ("acme", "beta")
CONCURRENT_PRODUCTS = 10

CreateDatabase = Callable[[str], Awaitable[str]]
_NUMBERS = count(1)


@pytest.fixture(scope="module")
def pooled(root: Path) -> Iterator[PooledPostgres]:
    """With the tables of all services in a template."""
    with pooled_postgres_server(NAMES, root / "deploy", default_pool_size=str(SERVER_SESSIONS)) as pooled:
        asyncio.run(migrate_as_owners(pooled.server.url))
        yield pooled


@pytest.fixture
async def create_database(pooled: PooledPostgres, create_roles: CreateRoles) -> CreateDatabase:
    """Creates a database with the roles and tables of all services."""

    async def create(name: str) -> str:
        administrator = await asyncpg.connect(database_of(pooled, "template1"))
        await administrator.execute(f"CREATE DATABASE {name} TEMPLATE postgres")
        await administrator.close()
        await asyncio.to_thread(create_roles, database_of(pooled, name))
        return database_of(pooled, name)

    return create


def database_of(pooled: PooledPostgres, name: str) -> str:
    return urlsplit(pooled.server.url)._replace(path=f"/{name}").geturl()


@pytest.fixture
async def url(create_database: CreateDatabase) -> str:
    return await create_database(f"of_test_{next(_NUMBERS)}")


@pytest.fixture
async def http(url: str, pooled: PooledPostgres, serve: Serve) -> AsyncIterator[httpx.AsyncClient]:
    settings = {"database_pooler": pooled.pgbouncer.address, "webhook_allow_private": True}
    async with serve(url, **settings) as client:
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


def most_sessions(pooled: PooledPostgres, url: str) -> int:
    """The most server sessions that a service has at the moment in the database."""
    servers = [(row["database"], row["user"]) for row in pooled.pgbouncer.command("SHOW SERVERS")]
    return max(servers.count((urlsplit(url).path[1:], name)) for name in NAMES)


async def test_writes_lists_jobs_and_deliveries_work_with_few_sessions(
    admin: User, deliveries: tuple[str, asyncio.Queue[Any]], pooled: PooledPostgres, url: str
) -> None:
    receiver, received = deliveries
    await admin.post("/webhooks", {"url": receiver, "event_types": ["stock.sale.completed"]})
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
        job_path = job["url"].removeprefix("/api/v1")
        await admin.until(job_path, lambda job: job["state"] == "done")
        assert (await admin.call("GET", f"{job_path}/result")).content == synchronous.content
    count = await admin.post("/stock-counts", {"product_ids": [products[0]["id"]]}, key="count")
    assert len(count["lines"]) == 1
    assert (await admin.get("/audit-logs/verify"))["ok"] is True
    assert 0 < most_sessions(pooled, url) <= SERVER_SESSIONS


async def test_totals_agree_after_concurrent_load(
    admin: User, http: httpx.AsyncClient, pooled: PooledPostgres, url: str
) -> None:
    async with aiohttp.ClientSession(base_url=str(http.base_url)) as session:
        client = ApiClient(session, admin.username, PASSWORD)
        await client.log_in()
        verifier = Verifier(url, client)
        loads = [Load(await without_retries(client), name) for name in LOADS]
        async with AsyncExitStack() as running:
            for load in loads:
                await load.create_products()
                await running.enter_async_context(load.running())
            for load in loads:
                await load.wait_until_acknowledged(REQUESTS)
                page = await admin.get("/products", search=load.name, page_size=5)
                assert page["total"] > 0
            assert most_sessions(pooled, url) <= SERVER_SESSIONS
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


async def test_companies_share_roles_and_pgbouncer_and_nothing_else(
    create_database: CreateDatabase, pooled: PooledPostgres, serve: Serve
) -> None:
    """Each has sessions of its own, so that the load of one does not take those of the other."""

    async def trade(admin: User, company: str) -> None:
        body = {"unit_price": "1", "quantity": 7}
        await asyncio.gather(
            *(
                admin.post("/products", {**body, "sku": f"S-{n}", "name": f"{company} {n}"}, key=f"key-{n}")
                for n in range(CONCURRENT_PRODUCTS)
            )
        )
        await admin.until(
            "/products",
            lambda page: sum(item["quantity_in_stock"] for item in page["items"]) == 7 * CONCURRENT_PRODUCTS,
        )

    async with AsyncExitStack() as stack:
        admins, urls = {}, [await create_database(company) for company in COMPANIES]
        template = database_of(pooled, "{company}")
        for company in COMPANIES:
            client = await stack.enter_async_context(
                serve(template, company=company, database_pooler=pooled.pgbouncer.address)
            )
            admins[company] = await register(client, "ada", path="/auth/admin/register")
        await asyncio.gather(*(trade(admin, company) for company, admin in admins.items()))
        for company, admin in admins.items():
            page = await admin.get("/products", page_size=100)
            assert {item["name"] for item in page["items"]} == {f"{company} {n}" for n in range(CONCURRENT_PRODUCTS)}
            assert (await admin.get("/audit-logs/verify"))["ok"] is True
        for url in urls:
            assert 0 < most_sessions(pooled, url) <= SERVER_SESSIONS
