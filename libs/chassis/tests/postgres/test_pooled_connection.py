"""Connections through PgBouncer in transaction mode: each works with any server session and holds none between uses."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from stockbuddy.chassis.postgres.connections import role_settings
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.failures import DependencyUnavailable, classify
from stockbuddy.chassis.runtime.pooler import Pooler
from stockbuddy.chassis.testing.pgbouncer import PooledPostgres, as_role, pooled_postgres_server

DEPLOY = Path(__file__).parents[4] / "deploy"
SERVER_SESSIONS = 2
TIMEOUT_SECONDS = 30
SLEEPING = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep%'"


@pytest.fixture(scope="module")
def pooled() -> Iterator[PooledPostgres]:
    with pooled_postgres_server(["probe"], DEPLOY, default_pool_size=str(SERVER_SESSIONS)) as pooled:
        yield pooled


@pytest.fixture
async def database(pooled: PooledPostgres) -> AsyncIterator[Database]:
    database = pooled_database(pooled)
    yield database
    await database.close()


def pooled_database(pooled: PooledPostgres) -> Database:
    return Database(as_role(pooled.server.url, "probe"), "probe", pooler=Pooler(pooled.pgbouncer.address))


async def until_free(pooled: PooledPostgres) -> None:
    """Wait until no client holds a server session or waits for one."""
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while any(
            row[state] != "0"
            for row in pooled.pgbouncer.command("SHOW POOLS")
            if row["user"] == "probe"
            for state in ("sv_active", "cl_waiting")
        ):
            await asyncio.sleep(0.02)


async def until_waiting(pooled: PooledPostgres, clients: int) -> None:
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while sum(int(row["cl_waiting"]) for row in pooled.pgbouncer.command("SHOW POOLS")) < clients:
            await asyncio.sleep(0.02)


def waits(pooled: PooledPostgres, most_seconds: str = "+Inf") -> float:
    """How many transactions have waited at most so long."""
    labels = {"company": "", "service": "probe", "pooler": pooled.pgbouncer.address, "le": most_seconds}
    return REGISTRY.get_sample_value("stockbuddy_pooler_wait_seconds_bucket", labels) or 0


async def test_more_connections_than_server_sessions_have_their_transactions(database: Database) -> None:
    async def add(number: int) -> tuple[int, int]:
        async with database.transaction() as session:
            first = await session.scalar(text("SELECT CAST(:number AS integer)"), {"number": number})
            backends = {await session.scalar(text("SELECT pg_backend_pid()")) for _ in range(3)}
            return int(first or 0), len(backends)

    assert await asyncio.gather(*map(add, range(60))) == [(number, 1) for number in range(60)]


async def test_same_statement_works_with_every_server_session(database: Database, pooled: PooledPostgres) -> None:
    async with database.raw() as connection, database.raw() as holder:
        backends = {await connection.fetchval("SELECT pg_backend_pid() + 0 * $1::integer", 0)}
        for _ in range(SERVER_SESSIONS):
            async with holder.transaction():  # takes the session that was used last
                await holder.fetchval("SELECT $1::text", "a")
                backends.add(await connection.fetchval("SELECT pg_backend_pid() + 0 * $1::integer", 0))
            backends.add(await connection.fetchval("SELECT pg_backend_pid() + 0 * $1::integer", 0))
    assert len(backends) == SERVER_SESSIONS
    await until_free(pooled)


async def test_session_has_the_settings_of_the_role(database: Database) -> None:
    async with database.raw() as connection:
        for name, value in role_settings("probe").items():
            assert await connection.fetchval("SELECT current_setting($1)", name) == value


async def test_every_method_of_a_connection_works(database: Database, pooled: PooledPostgres) -> None:
    owner = await asyncpg.connect(as_role(pooled.server.url, "probe_owner"))
    await owner.execute("CREATE TABLE probe.number (n integer)")
    await owner.execute("GRANT USAGE ON SCHEMA probe TO probe; GRANT SELECT, INSERT ON probe.number TO probe")
    await owner.close()
    async with database.raw() as connection:
        rows = await connection.fetch("SELECT n FROM generate_series(1, $1::integer) n", 2)
        assert [row["n"] for row in rows] == [1, 2]
        assert tuple(await connection.fetchrow("SELECT $1::text AS a, 2 AS b", "x")) == ("x", 2)
        assert await connection.fetchval("SELECT 1, $1::text", "x", column=1) == "x"
        assert await connection.execute("SELECT $1::integer", 1) == "SELECT 1"
        async with connection.transaction():
            await connection.executemany("INSERT INTO number VALUES ($1)", [(1,), (2,)])
            await connection.copy_records_to_table("number", records=[(3,)])
            statement = await connection.prepare("SELECT n FROM number WHERE n > $1 ORDER BY n")
            cursor = await statement.cursor(1)
            assert [row["n"] for row in await cursor.fetch(5)] == [2, 3]


async def test_value_that_can_not_be_sent_holds_no_session(database: Database, pooled: PooledPostgres) -> None:
    for _ in range(SERVER_SESSIONS + 1):
        with pytest.raises(DBAPIError):
            async with database.reading() as session:
                await session.execute(text("SELECT CAST(:number AS integer) + 1"), {"number": 10**30})
        async with database.raw() as connection:
            with pytest.raises(asyncpg.DataError):
                await connection.fetchval("SELECT $1::integer + 1", "a text")
    await until_free(pooled)


async def test_cancelled_statement_ends_and_holds_no_session(database: Database, pooled: PooledPostgres) -> None:
    sleep = text("SELECT pg_sleep(60)")
    for seconds in (0.05, 0.2):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(seconds), database.raw() as connection:
                await connection.fetchval("SELECT pg_sleep($1::integer)", 60)
        with pytest.raises(TimeoutError):
            async with database.raw() as connection:
                await connection.fetchval("SELECT pg_sleep($1::integer)", 60, timeout=seconds)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(seconds), database.transaction() as session:
                await session.execute(sleep)
    await until_free(pooled)
    observer = await asyncpg.connect(pooled.server.url)
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while await observer.fetchval(SLEEPING):
            await asyncio.sleep(0.05)
    await observer.close()


@asynccontextmanager
async def all_sessions_held(pooled: PooledPostgres) -> AsyncIterator[None]:
    """By transactions of another client."""
    other = pooled_database(pooled)
    async with AsyncExitStack() as stack:
        for _ in range(SERVER_SESSIONS):
            holder = await stack.enter_async_context(other.raw())
            await stack.enter_async_context(holder.transaction())
        yield
    await other.close()


async def test_interrupted_begin_that_waited_for_a_session_opens_no_transaction(
    database: Database, pooled: PooledPostgres
) -> None:
    async with database.raw() as connection, all_sessions_held(pooled):
        begin = asyncio.create_task(connection.execute("BEGIN", timeout=0.5))
        await until_waiting(pooled, 1)
        with pytest.raises(TimeoutError):
            await begin
    await until_free(pooled)
    async with database.transaction() as session:
        assert await session.scalar(text("SELECT 1")) == 1


async def test_wait_for_a_session_is_measured(database: Database, pooled: PooledPostgres) -> None:
    async with database.raw() as connection, all_sessions_held(pooled):
        before, long_before = waits(pooled), waits(pooled, "0.25")
        with pytest.raises(TimeoutError):
            await connection.execute("BEGIN", timeout=0.5)
        assert (waits(pooled), waits(pooled, "0.25")) == (before + 1, long_before)
    await until_free(pooled)
    async with database.transaction() as session:
        await session.execute(text("SELECT 1"))
    assert waits(pooled) == before + 2


async def test_role_without_its_settings_is_refused(pooled: PooledPostgres) -> None:
    url = as_role(pooled.server.url, "probe")
    database = Database(url, "another_schema", pooler=Pooler(pooled.pgbouncer.address))
    with pytest.raises(DependencyUnavailable, match="search_path") as refused:
        await database.ping()
    assert classify(refused.value).reason == "role_settings_missing"
    await database.close()


async def test_connections_are_replaced_after_a_restart(database: Database, pooled: PooledPostgres) -> None:
    await database.ping()
    pooled.pgbouncer.kill()
    with pytest.raises((OSError, DBAPIError)):
        await database.ping()
    pooled.pgbouncer.start()
    await database.ping()
