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
from tests.faults.deployment import Deployment, start_deployment
from tests.faults.shopkeeper import Shopkeeper

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

REPLICAS = ("stock", "stock-2")
DEADLINE_SECONDS = 60
HITS = 'stockbuddy_response_cache_requests_total{company="",outcome="hit",service="stock"}'


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
    return await Shopkeeper.hired(cached_deployment)


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
