"""Partitions are dropped and periods end while tills sell and reports read. Requests are sent once: none may fail."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import asyncpg
import pytest

from stockbuddy.chassis.messaging.outbox import open_database
from stockbuddy.chassis.postgres.maintenance import maintain
from stockbuddy.embedded.api_client import ApiClient
from tests.faults.deployment import Deployment
from tests.faults.load import Load, without_retries
from tests.faults.verification import SERVICES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

REQUESTS_BETWEEN_STEPS = 20
MOVED = "ORDER BY {key} DESC LIMIT 100"
REPORTS = ("/reports/inventory-valuation", "/stock-movements", "/stock/integrity", "/audit-logs", "/events")
# The day of an old partition, whose only chunk is sent.
ADD_EXPIRED = """
    CREATE TABLE {schema}.outbox_chunk_20200101 PARTITION OF {schema}.outbox_chunk
        FOR VALUES FROM ('2020-01-01 00:00:00+00') TO ('2020-01-02 00:00:00+00');
    INSERT INTO {schema}.outbox_chunk (shard, events, types, body, created_at, sent_at)
    VALUES (0, 0, '', '[]', '2020-01-01 12:00:00+00', '2020-01-01 12:00:00+00');
    UPDATE {schema}.idempotency_key SET created_at = created_at - interval '5 days'
"""
COUNT_FORMER = "SELECT count(*) FROM pg_inherits WHERE inhparent = '{table}'::regclass"


@contextlib.asynccontextmanager
async def read_continuously(client: ApiClient) -> AsyncIterator[None]:
    """Read reports and lists during the block; each has to be answered."""
    stopping = asyncio.Event()

    async def read() -> None:
        while not stopping.is_set():
            for path in REPORTS:
                response = await client.get(path)
                assert response.status == 200, (path, response.body)

    reader = asyncio.create_task(read())
    try:
        yield
    finally:
        stopping.set()
        await reader


async def start_periods(url: str) -> None:
    """Of movements and of the event log, as maintenance does when they are large and old."""
    for schema, statement in (
        ("stock", f"SELECT start_period('movement', '{MOVED.format(key='id')}')"),
        ("notifications", f"SELECT start_log_period('{MOVED.format(key='position')}')"),
    ):
        connection = await asyncpg.connect(url, server_settings={"search_path": schema, "lock_timeout": "250ms"})
        while True:
            try:
                await connection.execute(statement)
                break
            except asyncpg.LockNotAvailableError:
                await asyncio.sleep(0.5)
        await connection.close()


async def test_partitions_dropped_under_load_fail_no_request_and_lose_nothing(shared_deployment: Deployment) -> None:
    url, verifier = shared_deployment.postgres.url, shared_deployment.verifier
    client = await without_retries(shared_deployment.client)
    load = Load(client, "partitions")
    await load.create_products()
    async with load.running(), read_continuously(client):
        await load.wait_until_acknowledged(REQUESTS_BETWEEN_STEPS)
        for schema in SERVICES:
            await verifier.execute(ADD_EXPIRED.format(schema=schema))
        async with verifier.locked("SELECT count(*) FROM stock.outbox_chunk"):  # a report that reads the partition
            databases = [open_database(url, schema, pool_size=1) for schema in SERVICES]
            maintenance = asyncio.gather(*(maintain(database) for database in databases))
            await verifier.wait_until("SELECT count(*) > 0 FROM pg_locks WHERE NOT granted", True)
            await load.wait_until_acknowledged(REQUESTS_BETWEEN_STEPS)
        await maintenance
        await start_periods(url)
        await load.wait_until_acknowledged(REQUESTS_BETWEEN_STEPS)
    for database in databases:
        await database.close()
    for schema in SERVICES:
        assert await verifier.value(f"SELECT to_regclass('{schema}.outbox_chunk_20200101') IS NULL")
    for table in ("stock.movement", "notifications.event_log", "stock.idempotency_key"):
        assert await verifier.value(COUNT_FORMER.format(table=table)) == 1
    await verifier.verify("partitions dropped and periods ended", load)
