"""Migrations: concurrent replicas and unsuitable databases."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.postgres.migrations import UnusableDatabase, migrate
from stockbuddy.chassis.testing.comments import uncommented
from stockbuddy.chassis.testing.plugin import NewDatabase
from stockbuddy.chassis.testing.templates import with_database

MIGRATIONS = Path(__file__).parents[1] / "probe" / "migrations"


async def test_concurrent_replicas_migrate_once(new_database: NewDatabase) -> None:
    url = await new_database()
    await asyncio.gather(*(migrate(url, "probe", MIGRATIONS) for _ in range(5)))
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT count(*) FROM probe.outbox_shard") == 4
    await connection.close()


async def test_chassis_tables_and_columns_have_comments(database: Database) -> None:
    async with database.reading() as session:
        assert {name.partition(".")[0] for name in await uncommented(session)} == {"effect"}


async def test_database_with_another_encoding_is_rejected_with_a_reason(new_database: NewDatabase) -> None:
    url = await new_database()
    connection = await asyncpg.connect(url)
    name = f"{await connection.fetchval('SELECT current_database()')}_ascii"
    await connection.execute(f"""CREATE DATABASE "{name}" TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'""")
    with pytest.raises(UnusableDatabase, match="UTF8"):
        await migrate(with_database(url, name), "probe", MIGRATIONS)
    await connection.execute(f'DROP DATABASE "{name}"')
    await connection.close()
