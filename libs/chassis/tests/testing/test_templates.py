"""Test databases: migrated once, cloned for each test, and nothing left on the server."""

from __future__ import annotations

import asyncpg
import pytest

from stockbuddy.chassis.testing import templates
from stockbuddy.chassis.testing.postgres import PostgresServer
from stockbuddy.chassis.testing.templates import PREFIX, TemplateDatabases, with_database


class CreateTable:
    """A migration that counts its runs."""

    def __init__(self) -> None:
        self.runs = 0

    async def __call__(self, url: str) -> None:
        self.runs += 1
        await execute(url, "CREATE TABLE note (text text NOT NULL)")


async def fail(url: str) -> None:
    await execute(url, "SELECT 1 / 0")


async def execute(url: str, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(statement))
    finally:
        await connection.close()


async def names_of(server: PostgresServer) -> set[str]:
    rows = await execute(server.url, "SELECT datname FROM pg_database")
    return {row["datname"] for row in rows}


async def test_clones_are_migrated_once_and_are_independent(postgres_server: PostgresServer) -> None:
    databases, migration = TemplateDatabases(postgres_server.url), CreateTable()
    async with databases.clone([migration]) as first, databases.clone([migration]) as second:
        await execute(first, "INSERT INTO note VALUES ('hello')")
        assert await execute(second, "SELECT * FROM note") == []
        assert await execute(first, "SELECT * FROM note") == [("hello",)]
    assert migration.runs == 1
    await databases.drop_templates()


async def test_databases_are_dropped_despite_open_connections(postgres_server: PostgresServer) -> None:
    databases = TemplateDatabases(postgres_server.url)
    async with databases.clone([CreateTable()]) as url:
        left_open = await asyncpg.connect(url)
        mine = await left_open.fetchval("SELECT current_database()")
        assert mine in await names_of(postgres_server)
    await databases.drop_templates()
    left_open.terminate()
    session = mine.rpartition("_")[0]
    assert not [name for name in await names_of(postgres_server) if name.startswith(session)]


async def test_failed_migration_is_repeated_for_the_next_test(postgres_server: PostgresServer) -> None:
    databases, migration = TemplateDatabases(postgres_server.url), CreateTable()
    for _ in range(2):
        with pytest.raises(asyncpg.DivisionByZeroError):
            async with databases.clone([migration, fail]):
                pass
    assert migration.runs == 2


async def test_databases_of_a_killed_run_are_dropped_later(postgres_server: PostgresServer) -> None:
    abandoned = f"{PREFIX}_{1_700_000_000}_abcdef01_1"
    await execute(postgres_server.url, f'CREATE DATABASE "{abandoned}"')
    databases = TemplateDatabases(postgres_server.url)
    async with databases.clone([]) as url:
        await databases.drop_stale()
        assert await execute(url, "SELECT 1") == [(1,)]
    assert abandoned not in await names_of(postgres_server)
    await databases.drop_templates()


def test_url_of_another_database_keeps_all_other_parts() -> None:
    url = templates.with_database("postgresql://me:s%40cret@db:5433/postgres?sslmode=require", "shop")
    assert url == "postgresql://me:s%40cret@db:5433/shop?sslmode=require"
    assert with_database("postgresql://me@/postgres?host=/run/pg", "shop") == "postgresql://me@/shop?host=/run/pg"
