"""What kept responses save: latency of a mix of reads by three replicas of stock, which share a database.

One replica keeps no responses, one keeps them in memory, one in Redis or Valkey. Each request is sent to all three in
turn. The mix has the calls whose responses are kept, the first of each group most often, and a movement is posted after
some of them. Lists and look-ups are not kept by this cache (ADR 43).
"""

import asyncio
import random
import statistics
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
from asgi_lifespan import LifespanManager
from httpx2 import ASGITransport, AsyncClient
from prometheus_client import REGISTRY

from bench.figures import Figure, at_least, report
from bench.reports import DAYS, FILL, PRODUCTS, WAREHOUSES
from stockbuddy.chassis.http.app import create_app
from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.chassis.postgres.migrations import migrate
from stockbuddy.chassis.runtime.logging import configure_logging
from stockbuddy.chassis.testing.tokens import TestIssuer
from stockbuddy.chassis.testing.valkey import private_valkey_server
from stockbuddy.local_servers.postgres import LocalPostgres
from stockbuddy.stock.app import MIGRATIONS, SERVICE, StockSettings

MOVEMENTS_EACH = 20
REQUESTS = 200
REQUESTS_PER_WRITE = (3, 10, 50)
PLAIN = "plain reads"
TARGET_GAIN = at_least(1)
WEIGHTS = {
    "dashboard": 60,
    "reports": 35,
    "reorder suggestions": 5,
}
"""How often the calls of a group are sent, of 100."""
CALLS: dict[str, list[str]] = {
    "dashboard": ["/dashboard/stats"],
    "reports": [
        *("/reports/inventory-valuation", "/reports/turnover", "/reports/stock-aging", "/reports/dead-stock"),
        *(f"/reports/sales?group_by={group}" for group in ("day", "month", "product", "category")),
        *("/reports/profit", "/reports/movements"),
    ],
    "reorder suggestions": ["/reorder-suggestions"],
}


@dataclass
class Replica:
    """`milliseconds` by group."""

    name: str
    http: AsyncClient
    milliseconds: dict[str, list[float]] = field(default_factory=lambda: {group: [] for group in CALLS})

    async def get(self, path: str) -> float:
        """Returns the milliseconds."""
        started_at = time.perf_counter()
        response = await self.http.get(f"/api/v1{path}")
        milliseconds = (time.perf_counter() - started_at) * 1000
        if response.status_code != 200:
            raise RuntimeError(f"{path} returned {response.status_code}: {response.text}")
        return milliseconds


async def main() -> None:
    configure_logging(level="warning", output="console")
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        postgres = stack.enter_context(LocalPostgres.start(Path(folder) / "data"))
        url = stack.enter_context(private_valkey_server()).url
        await migrate(postgres.url, "stock", MIGRATIONS)
        await fill(postgres.url)
        issuer = TestIssuer()
        replicas = []
        for name, cache_url, cache_seconds in ((PLAIN, None, 0), ("memory", None, 300), ("Redis", url, 300)):
            settings = StockSettings(
                env="development",
                access_log=False,
                database_url=postgres.url,
                cache_url=cache_url,
                cache_seconds=cache_seconds,
            )
            app = create_app(SERVICE, settings, bus=InProcessBus(), fetch_jwks=issuer.fetch_jwks)
            await stack.enter_async_context(LifespanManager(app, startup_timeout=60, shutdown_timeout=60))
            client = AsyncClient(
                transport=ASGITransport(app), base_url="http://stock", headers=issuer.headers(1), timeout=60
            )
            replicas.append(Replica(name, await stack.enter_async_context(client)))
        for path in (path for paths in CALLS.values() for path in paths[:2]):  # connections and plans
            for replica in replicas:
                await replica.get(path)
        for requests_per_write in REQUESTS_PER_WRITE:
            await measure_mix(replicas, requests_per_write)
        await measure_overhead(replicas)


async def fill(url: str) -> None:
    connection = await asyncpg.connect(url, server_settings={"search_path": "stock", "jit": "off"})
    figures = {"products": PRODUCTS, "warehouses": WAREHOUSES, "each": MOVEMENTS_EACH, "days": DAYS}
    for statement in FILL:
        await connection.execute(statement.format(**figures), timeout=600)
    await connection.close()


async def measure_mix(replicas: list[Replica], requests_per_write: int) -> None:
    rng = random.Random(requests_per_write)
    for replica in replicas:
        replica.milliseconds = {group: [] for group in CALLS}
    hits, requests = count_requests("hit"), count_requests()
    for number in range(REQUESTS):
        [group] = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))
        paths = CALLS[group]
        [path] = rng.choices(paths, [1 / place for place in range(1, len(paths) + 1)])
        for replica in rotated(replicas, number):
            replica.milliseconds[group].append(await replica.get(path))
        if number % requests_per_write == 0:
            await write(replicas[0], rng.randint(1, PRODUCTS))
    rate = (count_requests("hit") - hits) / (count_requests() - requests)
    name = f"a write per {requests_per_write} requests"
    report(Figure("cache", f"{name}: hit rate", rate * 100, "%"))
    plain, *others = replicas
    for other in others:
        for group in CALLS:
            gain = statistics.mean(plain.milliseconds[group]) / statistics.mean(other.milliseconds[group])
            detail = f"{describe(plain.milliseconds[group])} plain, {describe(other.milliseconds[group])} {other.name}"
            report(Figure("cache", f"{name}: {group}, {other.name}", gain, "times as fast", None, detail))
        totals = [sum(map(sum, replica.milliseconds.values())) for replica in (plain, other)]
        report(Figure("cache", f"{name}: all, {other.name}", totals[0] / totals[1], "times as fast", TARGET_GAIN))


async def measure_overhead(replicas: list[Replica]) -> None:
    """Every request follows a write, so that nothing kept is current; and two requests without one in between."""
    plain, *others = replicas
    for group, paths in CALLS.items():
        missed: dict[str, list[float]] = {replica.name: [] for replica in replicas}
        hit: dict[str, list[float]] = {replica.name: [] for replica in replicas}
        for number in range(6):
            await write(plain, 1)
            for replica in rotated(replicas, number):
                missed[replica.name].append(await replica.get(paths[0]))
                hit[replica.name].append(await replica.get(paths[0]))
        base = statistics.median(missed[PLAIN] + hit[PLAIN])
        for other in others:
            cost, kept = statistics.median(missed[other.name]), statistics.median(hit[other.name])
            detail = f"{base:.2f} ms plain, {cost:.2f} ms after a write, {kept:.2f} ms kept"
            report(Figure("cache", f"{group}, kept in {other.name}", base / kept, "times as fast", TARGET_GAIN, detail))
            report(Figure("cache", f"{group}, after a write, {other.name}", cost / base, "of a plain read"))


def rotated(replicas: list[Replica], number: int) -> list[Replica]:
    """The first one after a write also loads what the others find in PostgreSQL's buffers."""
    start = number % len(replicas)
    return replicas[start:] + replicas[:start]


async def write(replica: Replica, product_id: int) -> None:
    body = {"product_id": product_id, "movement_type": "in", "quantity": 1}
    response = await replica.http.post("/api/v1/stock-movements", json=body)
    if response.status_code != 201:
        raise RuntimeError(response.text)


def count_requests(outcome: str | None = None) -> float:
    """Requests of cached routes in this process, by outcome or all."""
    name = "stockbuddy_response_cache_requests_total"
    samples = [sample for metric in REGISTRY.collect() for sample in metric.samples if sample.name == name]
    return sum(sample.value for sample in samples if outcome in (None, sample.labels["outcome"]))


def describe(milliseconds: list[float]) -> str:
    return f"mean {statistics.mean(milliseconds):.1f}, median {statistics.median(milliseconds):.1f} ms"


if __name__ == "__main__":
    asyncio.run(main())
