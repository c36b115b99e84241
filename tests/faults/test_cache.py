"""The cache of responses is frozen, lost, emptied and filled with old responses, while two replicas of stock use it:
every read after a write contains it, and no request fails."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from valkey.asyncio import Valkey

from stockbuddy.chassis.testing.postgres import private_postgres_server
from stockbuddy.chassis.testing.rabbitmq import private_rabbitmq_server
from stockbuddy.chassis.testing.valkey import PrivateValkey
from stockbuddy.embedded.api_client import ApiClient
from tests.faults.deployment import Deployment, start_deployment
from tests.faults.load import without_retries

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

REPLICAS = ("stock", "stock-2")
WRITES = 25
DEADLINE_SECONDS = 60
HITS = 'stockbuddy_response_cache_requests_total{company="",outcome="hit",service="stock"}'


class Shopkeeper:
    """Posts receipts of a product that the load does not move, and reads it after each. Requests are not repeated."""

    def __init__(self, client: ApiClient, product_id: int) -> None:
        self._client = client
        self._product_id = product_id
        self._receipts = 0
        self.stale = 0
        """Reads without the last receipt."""

    async def work(self) -> None:
        for _ in range(WRITES):
            self._receipts += 1
            body = {"product_id": self._product_id, "movement_type": "purchase", "quantity": 2, "unit_cost": "1"}
            posted = await self._client.post("/stock-movements", body, key=f"{self._product_id}:{self._receipts}")
            assert posted.accepted, posted.body
            for _ in range(3):  # by either replica; the first fills the cache
                await self._read()

    async def _read(self) -> None:
        movements = await self._client.get("/stock-movements", product_id=self._product_id, page_size=1)
        report = await self._client.get("/reports/inventory-valuation")
        assert (movements.status, report.status) == (200, 200)
        [row] = [row for row in report.body["rows"] if row["product_id"] == self._product_id]
        self.stale += (movements.body["total"], row["quantity"]) != (self._receipts, self._receipts * 2)


@pytest.fixture
async def cached_deployment(
    private_valkey: PrivateValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Deployment]:
    """Two replicas of each service, those of stock with a cache."""
    monkeypatch.setenv("CACHE_URL", private_valkey.url)
    with private_postgres_server() as postgres, private_rabbitmq_server() as rabbitmq:
        async with start_deployment(postgres, rabbitmq, tmp_path, replicas=2) as deployment:
            for name in REPLICAS:
                await deployment.wait_until_ready(name)
            yield deployment


@pytest.fixture
async def shopkeeper(cached_deployment: Deployment) -> Shopkeeper:
    client = await without_retries(cached_deployment.client)
    product = await client.post("/products", {"sku": "CACHED", "name": "Tea", "unit_price": "9"}, key="cached")
    body = {"product_id": product.body["id"], "movement_type": "purchase", "quantity": 2, "unit_cost": "1"}
    shopkeeper = Shopkeeper(client, product.body["id"])
    shopkeeper._receipts = 1
    await cached_deployment.client.post_replicated("/stock-movements", body, key="first")
    return shopkeeper


async def hits(deployment: Deployment) -> float:
    """Responses that both replicas of stock took from the cache."""
    total = 0.0
    async with aiohttp.ClientSession() as http:
        for name in REPLICAS:
            async with http.get(f"http://127.0.0.1:{deployment.programs[name].environment['PORT']}/metrics") as page:
                lines = (await page.text()).splitlines()
            total += sum(float(line.split()[-1]) for line in lines if line.startswith(HITS))
    return total


async def until_used(deployment: Deployment) -> None:
    """Wait until the cache answers again, without a restart of anything but itself."""
    before = await hits(deployment)
    async with asyncio.timeout(DEADLINE_SECONDS):
        while await hits(deployment) == before:
            assert (await deployment.client.get("/reports/inventory-valuation")).accepted


@contextlib.asynccontextmanager
async def frozen(server: PrivateValkey) -> AsyncIterator[None]:
    server.freeze()
    try:
        yield
    finally:
        server.thaw()


@contextlib.asynccontextmanager
async def stopped(server: PrivateValkey) -> AsyncIterator[None]:
    server.stop()
    try:
        yield
    finally:
        server.start()


@contextlib.asynccontextmanager
async def emptied(server: PrivateValkey) -> AsyncIterator[None]:
    server.stop()
    server.start()
    yield


@contextlib.asynccontextmanager
async def filled_with_old_responses(server: PrivateValkey) -> AsyncIterator[None]:
    """Every few milliseconds, each entry is replaced by the first one of its key."""
    client = Valkey.from_url(server.url)
    first: dict[bytes, bytes] = {}
    stopping = asyncio.Event()  # the client may lose the cancellation of a task

    async def restore() -> None:
        while not stopping.is_set():
            for key in await client.keys("*"):
                first.setdefault(key, await client.get(key) or b"")
                await client.set(key, first[key])
            await asyncio.sleep(0.005)

    restoring = asyncio.create_task(restore())
    try:
        yield
    finally:
        stopping.set()
        await restoring
        await client.flushall()
        await client.aclose()


async def test_cache_faults_lose_nothing_and_make_no_read_stale(
    cached_deployment: Deployment, private_valkey: PrivateValkey, shopkeeper: Shopkeeper
) -> None:
    await until_used(cached_deployment)
    for fault in (frozen, stopped, emptied, filled_with_old_responses):
        name = fault.__name__.replace("_", " ")
        async with cached_deployment.load(name) as load, fault(private_valkey):
            await shopkeeper.work()
            await load.wait_until_acknowledged(10)
        await cached_deployment.verifier.verify(f"cache {name}", load)
        async with fault(private_valkey):
            await shopkeeper.work()
        await until_used(cached_deployment)
        assert shopkeeper.stale == 0, name
    assert {program.starts for program in cached_deployment.programs.values()} == {1}
