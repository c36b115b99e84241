"""A serving role has the privileges that serving needs and no others, if the schema belongs to another role."""

import asyncio
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from sqlalchemy import text

from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.chassis.messaging.relay import Relay
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.postgres.maintenance import maintain
from stockbuddy.chassis.postgres.migrations import migrate
from stockbuddy.chassis.testing.probe import ProbeChanged
from stockbuddy.local_servers.postgres import LocalPostgres

MIGRATIONS = Path(__file__).parents[1] / "probe" / "migrations"
GUARD = """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'never'; END$$;
    CREATE TRIGGER effect_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON effect
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

DEADLINE_SECONDS = 60
BYPASSES = (
    "UPDATE effect SET number = 2",
    "DELETE FROM effect",
    "TRUNCATE effect",
    "DROP TRIGGER effect_is_append_only ON effect",
    "ALTER TABLE effect DISABLE TRIGGER ALL",
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$",
    "SET session_replication_role = replica",
    "DROP TABLE effect",
    "UPDATE schema_version SET version_num = '0'",
    "CREATE TABLE probe.mine ()",
    "CREATE TABLE public.mine ()",
    "SET ROLE probe_owner",
)


def as_role(url: str, role: str) -> str:
    return urlsplit(url)._replace(netloc=role + "@").geturl()


@pytest.fixture
async def url(private_postgres: LocalPostgres) -> str:
    """The database for the serving role `probe`; `probe_owner` owns its objects."""
    superuser = await asyncpg.connect(private_postgres.url)
    await superuser.execute("CREATE ROLE probe LOGIN; CREATE ROLE probe_owner LOGIN")
    await superuser.execute("CREATE SCHEMA probe AUTHORIZATION probe_owner")
    await superuser.close()
    owner_url = as_role(private_postgres.url, "probe_owner")
    await migrate(owner_url, "probe", MIGRATIONS, serving_role="probe")
    owner = await asyncpg.connect(owner_url, server_settings={"search_path": "probe"})
    await owner.execute(GUARD)
    await owner.close()
    await migrate(owner_url, "probe", MIGRATIONS, serving_role="probe")
    return as_role(private_postgres.url, "probe")


async def _until_archived(database: Database) -> None:
    while True:
        async with database.reading() as session:
            if await session.scalar(text("SELECT count(*) FROM outbox_event WHERE sent_at IS NOT NULL")):
                return
        await asyncio.sleep(0.02)


async def test_serving_role_can_publish_relay_and_maintain(url: str) -> None:
    database = outbox.open_database(url, "probe", pool_size=2)
    async with database.transaction() as session:
        outbox.add(session, ProbeChanged(thing=1, number=1))
        await session.execute(text("INSERT INTO effect (subject, number) VALUES ('thing/1', 1)"))
    async with asyncio.timeout(DEADLINE_SECONDS), Relay(database, InProcessBus(groups={})).worker(DEADLINE_SECONDS):
        await _until_archived(database)
    await maintain(database)
    async with database.reading() as session:
        partitions = await session.scalar(
            text("SELECT count(*) FROM pg_inherits WHERE inhparent = CAST('outbox_chunk' AS regclass)")
        )
        archived = await session.scalar(text("SELECT count(*) FROM outbox_event WHERE sent_at IS NOT NULL"))
    assert (partitions, archived) == (3, 1)
    await database.close()


async def test_serving_role_uses_the_tables_that_maintenance_creates(url: str) -> None:
    connection = await asyncpg.connect(url, server_settings={"search_path": "probe"})
    add_key = (
        "INSERT INTO idempotency_key (caller, key, fingerprint, created_at) VALUES ('1', $1, '', now() - $2::interval)"
    )
    await connection.execute(add_key, "old", timedelta(days=5))
    database = outbox.open_database(url, "probe", pool_size=2)
    await maintain(database)
    await database.close()
    await connection.execute(add_key, "new", timedelta())
    assert await connection.fetchval("SELECT count(*) FROM ONLY idempotency_key") == 1
    assert await connection.fetchval("SELECT count(*) FROM idempotency_key") == 2
    await connection.execute("DELETE FROM idempotency_key WHERE caller = '1'")
    assert await connection.fetchval("SELECT count(*) FROM idempotency_key") == 0
    await connection.close()


async def test_serving_role_cannot_bypass_a_trigger(url: str) -> None:
    connection = await asyncpg.connect(url, server_settings={"search_path": "probe"})
    await connection.execute("INSERT INTO effect (subject, number) VALUES ('thing/1', 1)")
    for statement in BYPASSES:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    await connection.close()
