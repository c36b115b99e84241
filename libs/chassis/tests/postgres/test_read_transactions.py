"""Reads in one server session behind PgBouncer, and in one snapshot."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.postgres.read_transactions import one_snapshot, read_transaction
from stockbuddy.chassis.runtime.pooler import Pooler
from stockbuddy.chassis.testing.pgbouncer import PooledPostgres, as_role, pooled_postgres_server

DEPLOY = Path(__file__).parents[4] / "deploy"
ROWS = "SELECT count(*) FROM number"
SESSION = "SELECT pg_backend_pid()"


@pytest.fixture(scope="module")
def pooled() -> Iterator[PooledPostgres]:
    with pooled_postgres_server(["probe"], DEPLOY, default_pool_size="2", server_round_robin="1") as pooled:
        yield pooled


@pytest.fixture
async def writer(pooled: PooledPostgres) -> AsyncIterator[asyncpg.Connection]:
    """The owner of an empty table, connected directly."""
    owner = await asyncpg.connect(as_role(pooled.server.url, "probe_owner"))
    await owner.execute("CREATE TABLE probe.number (n integer)")
    await owner.execute("GRANT USAGE ON SCHEMA probe TO probe; GRANT SELECT, INSERT ON probe.number TO probe")
    yield owner
    await owner.execute("DROP TABLE probe.number")
    await owner.close()


@pytest.fixture
async def driver(pooled: PooledPostgres) -> AsyncIterator[asyncpg.Connection]:
    database = Database(as_role(pooled.server.url, "probe"), "probe", pooler=Pooler(pooled.pgbouncer.address))
    async with database.raw() as driver:
        yield driver
    await database.close()


async def add(writer: asyncpg.Connection) -> None:
    await writer.execute("INSERT INTO probe.number VALUES (1)")


async def test_snapshot_is_one_and_in_the_same_session_as_what_was_read_before_and_after(
    driver: asyncpg.Connection, writer: asyncpg.Connection
) -> None:
    async with read_transaction(driver):
        sessions = {await driver.fetchval(SESSION)}
        await add(writer)
        assert await driver.fetchval(ROWS) == 1
        await add(writer)
        async with one_snapshot(driver):
            sessions.add(await driver.fetchval(SESSION))
            assert await driver.fetchval(ROWS) == 2
            await add(writer)
            assert await driver.fetchval(ROWS) == 2
        assert await driver.fetchval(ROWS) == 3
        sessions.add(await driver.fetchval(SESSION))
    assert len(sessions) == 1
    assert not driver.is_in_transaction()


async def test_snapshot_outside_of_a_transaction_is_one(driver: asyncpg.Connection, writer: asyncpg.Connection) -> None:
    async with one_snapshot(driver):
        assert await driver.fetchval(ROWS) == 0
        await add(writer)
        assert await driver.fetchval(ROWS) == 0
    assert await driver.fetchval(ROWS) == 1


async def test_snapshot_does_not_commit_what_a_transaction_has_written(
    driver: asyncpg.Connection, writer: asyncpg.Connection
) -> None:
    with pytest.raises(RuntimeError, match="commit"):
        async with driver.transaction():
            await driver.execute("INSERT INTO number VALUES (1)")
            async with one_snapshot(driver):
                pass
    assert await writer.fetchval("SELECT count(*) FROM probe.number") == 0


async def test_reads_write_nothing_and_failed_ones_leave_no_transaction(
    driver: asyncpg.Connection, writer: asyncpg.Connection
) -> None:
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        async with read_transaction(driver):
            await driver.execute("INSERT INTO number VALUES (1)")
    with pytest.raises(asyncpg.DivisionByZeroError):
        async with read_transaction(driver), one_snapshot(driver):
            await driver.fetchval("SELECT 1 / 0")
    assert not driver.is_in_transaction()
    assert await driver.fetchval(ROWS) == 0


async def test_connection_that_is_lost_within_the_block_raises_its_own_error(
    driver: asyncpg.Connection, writer: asyncpg.Connection
) -> None:
    with pytest.raises(ValueError, match="of the block"):
        async with read_transaction(driver):
            driver.terminate()
            raise ValueError("of the block")
