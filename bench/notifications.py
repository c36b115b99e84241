"""Latency and throughput of events: from the commit of a movement to its consumers.

A producer writes movements as the stock service does (two events each, one transaction) into a real outbox; its
relay, the bus and the notifications service are the real ones. Three clients wait for the events over sockets: a long
poll of GET /events, a client of GET /stream, and a webhook. Embedded, everything shares one process, the clients
included; on RabbitMQ the service has its own process. The backlog is written before anything runs and then processed;
its rate is reported as a ratio to the same rows inserted into a plain table in batches of the same size.
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import uvloop
from aiohttp import web
from fastapi import FastAPI

from bench.figures import Figure, report, under
from stockbuddy.chassis.http.app import create_app
from stockbuddy.chassis.http.service_definition import Service
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.chassis.messaging.chunks import to_message
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.postgres.migrations import migrate
from stockbuddy.chassis.runtime.logging import configure_logging
from stockbuddy.chassis.runtime.settings import ServiceSettings
from stockbuddy.chassis.testing.clients import serving
from stockbuddy.chassis.testing.rabbitmq import rabbitmq_server
from stockbuddy.chassis.testing.tokens import TestIssuer
from stockbuddy.contracts.stock import LevelChanged, MovementPosted
from stockbuddy.local_servers.ports import free_port
from stockbuddy.local_servers.postgres import LocalPostgres
from stockbuddy.notifications.app import MIGRATIONS, SERVICE, NotificationsSettings
from stockbuddy.stock.app import MIGRATIONS as STOCK_MIGRATIONS

RATES = (10, 300)
SECONDS = 6.0
BACKLOG = 100_000
BUSES = ("embedded", "rabbitmq")
TARGET_MILLISECONDS = under(100)
BATCH = 200
READERS = ("event log", "SSE", "webhook")
PRODUCTS = 500


@dataclass
class Stopwatch:
    """Times, by movement id, of the commit and of the arrival at each reader."""

    committed: dict[int, float] = field(default_factory=dict)
    arrived: dict[str, dict[int, float]] = field(default_factory=lambda: {name: {} for name in READERS})

    def arrive(self, reader: str, event_type: str, data: dict[str, Any]) -> None:
        if event_type == MovementPosted.type:
            self.arrived[reader].setdefault(data["id"], time.perf_counter())

    def milliseconds(self, reader: str, first: int) -> list[float]:
        return [
            (at - self.committed[number]) * 1000
            for number, at in self.arrived[reader].items()
            if number >= first and number in self.committed
        ]


def events_of(number: int) -> tuple[MovementPosted, LevelChanged]:
    """The events that the stock service publishes for one movement."""
    product, now = number % PRODUCTS, datetime.now(UTC)
    before, quantity = Decimal(1_000_000 - number), Decimal(-1)
    movement = MovementPosted(
        id=number,
        product_id=product,
        sku=f"SKU-{product}",
        warehouse_id=1,
        movement_type="sale",
        quantity=quantity,
        before=before,
        balance=before + quantity,
        reference_number=f"INV-{number}",
        occurred_at=now,
        recorded_at=now,
    )
    level = LevelChanged(
        product_id=product,
        sku=f"SKU-{product}",
        warehouse_id=1,
        version=number,
        before=before,
        delta=quantity,
        on_hand=before + quantity,
        reserved=Decimal(0),
        reason="sale",
        changed_at=now,
    )
    return movement, level


class Producer:
    """Commits movements to the outbox of a stock service without routes; waiting ones share a transaction."""

    def __init__(self, database: Database, stopwatch: Stopwatch) -> None:
        self._database = database
        self._stopwatch = stopwatch
        self._waiting: list[int] = []
        self._wake = asyncio.Event()
        self.number = 0

    async def run(self) -> None:
        """Until cancelled."""
        async with self._database.raw() as connection:
            while True:
                await self._wake.wait()
                self._wake.clear()
                numbers, self._waiting = self._waiting, []
                rows = [outbox.to_outbox_event(event) for number in numbers for event in events_of(number)]
                await connection.execute(outbox.INSERT, *outbox.columns(rows))
                now = time.perf_counter()
                self._stopwatch.committed.update(dict.fromkeys(numbers, now))
                self._database.notify(outbox.COMMITTED)

    async def post_at(self, rate: int, seconds: float) -> int:
        """Post at an even rate without waiting for earlier posts; returns the first movement's number."""
        first, started = self.number + 1, time.perf_counter()
        for index in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, started + index / rate - time.perf_counter()))
            self.number += 1
            self._waiting.append(self.number)
            self._wake.set()
        return first


async def write_backlog(url: str, count: int) -> None:
    connection = await asyncpg.connect(url, server_settings={"search_path": "stock"})
    try:
        for start in range(0, count // 2, 1000):
            rows = [
                outbox.to_outbox_event(event) for number in range(start, start + 1000) for event in events_of(number)
            ]
            await connection.execute(outbox.INSERT, *outbox.columns(rows))
    finally:
        await connection.close()


async def bare_rate(url: str) -> float:
    """Rows per second of sequential batches of the same size into a plain table with a key."""
    connection = await asyncpg.connect(url)
    events = [event for number in range(BATCH * 50) for event in events_of(number)]
    rows = [to_message(outbox.to_outbox_event(event).text) for event in events]
    try:
        await connection.execute("CREATE TABLE bare (id bigint PRIMARY KEY, headers json, payload json)")
        started = time.perf_counter()
        for start in range(0, len(rows), BATCH):
            part = rows[start : start + BATCH]
            await connection.execute(
                "INSERT INTO bare SELECT * FROM unnest($1::bigint[], $2::json[], $3::json[])",
                list(range(start, start + len(part))),
                [json.dumps(row.headers) for row in part],
                [row.body.decode() for row in part],
            )
        return len(rows) / (time.perf_counter() - started)
    finally:
        await connection.execute("DROP TABLE bare")
        await connection.close()


# The clients


async def follow_log(http: aiohttp.ClientSession, stopwatch: Stopwatch) -> None:
    after = "0"
    while True:
        query = {"after": after, "types": "stock.*", "wait": "20", "limit": "1000"}
        async with http.get("/api/v1/events", params=query) as response:
            feed = await response.json()
        after = feed["next_cursor"]
        for event in feed["items"]:
            stopwatch.arrive("event log", event["type"], event["data"])


async def follow_stream(http: aiohttp.ClientSession, stopwatch: Stopwatch) -> None:
    async with http.get("/api/v1/stream") as response:
        async for line in response.content:
            if line.startswith(b"data: "):
                event = json.loads(line[6:])
                stopwatch.arrive("SSE", event["type"], event["data"])


@asynccontextmanager
async def receiver(stopwatch: Stopwatch, issuer: TestIssuer) -> AsyncIterator[str]:
    """A webhook's receiver, and the JWKS with which a service in another process verifies our tokens."""

    async def hook(request: web.Request) -> web.Response:
        event = await request.json()
        stopwatch.arrive("webhook", event["type"], event["data"])
        return web.Response()

    async def keys(_: web.Request) -> web.Response:
        return web.json_response(await issuer.fetch_jwks())

    app = web.Application()
    app.add_routes([web.post("/hook", hook), web.get("/keys", keys)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


# The system


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[None]:
    async with app.router.lifespan_context(app):
        yield


@asynccontextmanager
async def own_process(environment: dict[str, str]) -> AsyncIterator[str]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "stockbuddy.notifications", env={**os.environ, **environment, "PORT": str(port)}
    )
    try:
        async with aiohttp.ClientSession() as http, asyncio.timeout(30):
            while not await is_ready(http, f"http://127.0.0.1:{port}/health/ready"):
                await asyncio.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def is_ready(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url) as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


@dataclass
class Setting:
    """The servers of one run. Without `bus_url` everything runs in one process."""

    database_url: str
    bus_url: str | None

    async def prepare(self) -> None:
        await migrate(self.database_url, "stock", STOCK_MIGRATIONS)
        await migrate(self.database_url, "notifications", MIGRATIONS)

    @asynccontextmanager
    async def system(self, issuer: TestIssuer, keys_url: str) -> AsyncIterator[tuple[Database, str]]:
        """The producer's database, with its relay running, and the URL of the notifications service."""
        common: dict[str, Any] = {"env": "development", "database_url": self.database_url, "bus_url": self.bus_url}
        bus = None if self.bus_url else InProcessBus(frozenset({"notifications"}))
        producer = create_app(Service("stock", "Bench", []), ServiceSettings(**common), bus=bus)
        async with AsyncExitStack() as stack:
            if bus is not None:
                settings = NotificationsSettings(**common, webhook_allow_private=True)
                app = create_app(SERVICE, settings, bus=bus, fetch_jwks=issuer.fetch_jwks)
                url = await stack.enter_async_context(serving(app))
            else:
                environment = {
                    "ENV": "development",
                    "DATABASE_URL": self.database_url,
                    "BUS_URL": str(self.bus_url),
                    "JWKS_URL": f"{keys_url}/keys",
                    "WEBHOOK_ALLOW_PRIVATE": "true",
                    "LOG_LEVEL": "error",
                }
                url = await stack.enter_async_context(own_process(environment))
            await stack.enter_async_context(running(producer))
            yield producer.state.resources.database, url


async def measure_latency(setting: Setting, name: str) -> None:
    stopwatch, issuer = Stopwatch(), TestIssuer()
    async with AsyncExitStack() as stack:
        receiver_url = await stack.enter_async_context(receiver(stopwatch, issuer))
        database, url = await stack.enter_async_context(setting.system(issuer, receiver_url))
        timeout = aiohttp.ClientTimeout(total=None)
        http = await stack.enter_async_context(aiohttp.ClientSession(url, headers=issuer.headers(), timeout=timeout))
        hook = {"url": f"{receiver_url}/hook", "event_types": [MovementPosted.type]}
        async with http.post("/api/v1/webhooks", json=hook) as response:
            assert response.status == 201, await response.text()
        producer = Producer(database, stopwatch)
        tasks = [
            asyncio.create_task(work)
            for work in (follow_log(http, stopwatch), follow_stream(http, stopwatch), producer.run())
        ]
        await producer.post_at(20, 2)
        for rate in RATES:
            first = await producer.post_at(rate, SECONDS)
            await until(lambda: all(len(stopwatch.arrived[reader]) == producer.number for reader in READERS))
            report_latency(stopwatch, name, rate, first)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def report_latency(stopwatch: Stopwatch, name: str, rate: int, first: int) -> None:
    for reader in READERS:
        took = sorted(stopwatch.milliseconds(reader, first))
        p50, p99 = statistics.median(took), took[int(len(took) * 0.99)]
        what = f"{name}, {rate}/s: commit to {reader}"
        report(Figure("notifications", what, p99, "ms, p99", TARGET_MILLISECONDS, f"p50 {p50:.1f} ms"))


async def measure_backlog(setting: Setting, name: str) -> None:
    bare = await bare_rate(setting.database_url)
    await write_backlog(setting.database_url, BACKLOG)
    issuer = TestIssuer()
    async with receiver(Stopwatch(), issuer) as keys_url:
        started = time.perf_counter()
        async with setting.system(issuer, keys_url) as (_, _):
            started = time.perf_counter()
            connection = await asyncpg.connect(setting.database_url)
            relayed = (
                await until_true(connection, "SELECT NOT EXISTS (SELECT FROM stock.outbox_chunk WHERE sent_at IS NULL)")
                - started
            )
            logged = (
                await until_true(connection, f"SELECT position >= {BACKLOG} FROM notifications.event_log_head")
                - started
            )
            await connection.close()
    for what, seconds in [("relayed", relayed), ("in the log", logged)]:
        rate = BACKLOG / seconds
        found = f"{rate:,.0f}/s; bare inserts {bare:,.0f}/s"
        report(Figure("notifications", f"{name}, backlog {what}", rate / bare, "of bare inserts", None, found))


async def until(look: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not look():
            await asyncio.sleep(0.01)


async def until_true(connection: asyncpg.Connection, question: str, seconds: float = 300) -> float:
    """The time at which the query became true."""
    async with asyncio.timeout(seconds):
        while not await connection.fetchval(question):
            await asyncio.sleep(0.05)
    return time.perf_counter()


def main() -> None:
    configure_logging(level="error", output="console")
    with ExitStack() as stack:
        broker = stack.enter_context(rabbitmq_server()) if "rabbitmq" in BUSES else None
        for name in BUSES:
            for measure in (measure_latency, measure_backlog):
                with ExitStack() as own:
                    directory = own.enter_context(tempfile.TemporaryDirectory(prefix="stockbuddy-bench-"))
                    server = own.enter_context(LocalPostgres.start(Path(directory)))
                    bus_url = None
                    if name == "rabbitmq" and broker is not None:
                        bus_url = broker.create()
                        own.callback(broker.delete, bus_url)
                    setting = Setting(server.url, bus_url)
                    uvloop.run(run(setting, measure, name))


async def run(setting: Setting, measure: Callable[[Setting, str], Any], name: str) -> None:
    await setting.prepare()
    await measure(setting, name)


if __name__ == "__main__":
    main()
