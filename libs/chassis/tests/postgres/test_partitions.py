"""Partitions by time: conversion of a filled schema, creation ahead, and dropping of what expired."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest
import uuid_utils

from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.messaging.dead_letters import retry_dead_letters
from stockbuddy.chassis.messaging.handlers import Consumer, each
from stockbuddy.chassis.messaging.inbox import Inbox
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.postgres.maintenance import maintain
from stockbuddy.chassis.postgres.migrations import migrate
from stockbuddy.chassis.postgres.partitions import INBOX_DAYS
from stockbuddy.chassis.testing.plugin import NewDatabase
from stockbuddy.chassis.testing.probe import EFFECTS_GROUP, ProbeChanged, effects, note
from stockbuddy.chassis.testing.revisions import migrate_to

MIGRATIONS = Path(__file__).parents[1] / "probe" / "migrations"
BEFORE_PARTITIONS = "0003"
LONG_AGO = date(2026, 1, 5)
DEADLINE_SECONDS = 60
BEYOND_ALL_DATES = UUID(int=2**128 - 1)

# As maintenance of the previous release sends it.
FORMER_DELETE = f"""
    DELETE FROM inbox WHERE ctid IN (SELECT ctid FROM inbox
    WHERE status = 'done' AND created_at < now() - interval '{INBOX_DAYS} days' LIMIT 10000) RETURNING 1
"""


def uuid_of(day: date) -> UUID:
    """A UUIDv7 of that day with the other bits of a new one."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return UUID(f"{int(moment.timestamp()) * 1000:012x}{uuid_utils.uuid7().hex[12:]}")


def message(event_id: UUID, number: int = 1) -> Message:
    body = ProbeChanged(thing=1, number=number).model_dump_json().encode()
    return Message(str(event_id), ProbeChanged.type, {"partitionkey": "thing/1"}, body)


def inbox_of(database: Database) -> Inbox:
    return Inbox(database, Consumer(EFFECTS_GROUP, {ProbeChanged.type: each(ProbeChanged, note)}))


async def connected(url: str) -> asyncpg.Connection:
    return await asyncpg.connect(url, server_settings={"search_path": "probe", "timezone": "UTC"})


async def partitions(connection: asyncpg.Connection, table: str) -> set[str]:
    rows = await connection.fetch(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = $1::regclass",
        table,
    )
    return {row["relname"] for row in rows}


async def end_first_partition(connection: asyncpg.Connection, day: date) -> str:
    """Let the first partition of the inbox end before `day`, as if the schema had been converted before that."""
    (first,) = await partitions(connection, "inbox") - {"inbox_default"}
    name = f"inbox_until_{day:%Y%m%d}"
    await connection.execute(f"""
        ALTER TABLE inbox DETACH PARTITION {first};
        ALTER TABLE {first} RENAME TO {name};
        ALTER TABLE inbox ATTACH PARTITION {name} FOR VALUES FROM (MINVALUE) TO ('{uuid_of(day).hex[:12]:0<32}')
    """)
    return name


async def add_done(connection: asyncpg.Connection, event_id: UUID, received: str, status: str = "done") -> None:
    await connection.execute(
        "INSERT INTO inbox (consumer, event_id, status, partition_key, created_at, message) "
        "VALUES ($1, $2, $3, 'thing/1', now() - $4::text::interval, $5)",
        *(EFFECTS_GROUP, event_id, status, received, None),
    )


async def test_filled_schema_is_converted_without_losing_a_row(new_database: NewDatabase) -> None:
    url = await new_database()
    await migrate_to(BEFORE_PARTITIONS, url, "probe", MIGRATIONS)
    connection = await connected(url)
    handled, no_uuid7, dead = uuid_of(datetime.now(UTC).date()), BEYOND_ALL_DATES, uuid4()
    for event_id, status in ((handled, "done"), (no_uuid7, "done"), (dead, "dead")):
        await add_done(connection, event_id, "1 day", status)
    await connection.execute(
        "INSERT INTO idempotency_key (caller, key, fingerprint, status, body) VALUES ('1', 'k', '\\x00', 201, '{}')"
    )
    rows = await connection.fetch("SELECT * FROM inbox ORDER BY event_id")
    keys = await connection.fetch("SELECT * FROM idempotency_key")

    await migrate(url, "probe", MIGRATIONS)

    assert await connection.fetch("SELECT * FROM inbox ORDER BY event_id") == rows
    assert await connection.fetch("SELECT * FROM idempotency_key") == keys
    await connection.close()
    database = outbox.open_database(url, "probe", pool_size=2)
    await inbox_of(database).receive([message(handled), message(no_uuid7)])
    assert await effects(database) == []
    await database.close()


async def test_partitions_are_created_ahead(database: Database, database_url: str) -> None:
    connection = await connected(database_url)
    await end_first_partition(connection, LONG_AGO)
    await maintain(database)
    await maintain(database)
    today = datetime.now(UTC).date()
    monday = today - timedelta(days=today.weekday())
    assert await partitions(connection, "inbox") == {
        "inbox_default",
        *(f"inbox_until_{monday + timedelta(weeks=weeks):%Y%m%d}" for weeks in (1, 2, 3)),
    }
    assert await partitions(connection, "outbox_chunk") == {
        "outbox_chunk_default",
        *(f"outbox_chunk_{today + timedelta(days=days):%Y%m%d}" for days in (1, 2)),
    }
    assert await connection.fetchval("SELECT count(*) FROM inbox_default") == 0
    await add_done(connection, uuid_of(today), "0")
    assert await connection.fetchval("SELECT count(*) FROM inbox_default") == 0
    await connection.close()


async def test_messages_of_a_time_without_partition_are_kept_once(database: Database, database_url: str) -> None:
    """Maintenance did not run: the message is in the default partition, also after the partitions were created."""
    connection = await connected(database_url)
    await end_first_partition(connection, LONG_AGO)
    now = uuid_of(datetime.now(UTC).date())
    await inbox_of(database).receive([message(now)])
    await maintain(database)
    await inbox_of(database).receive([message(now)])
    assert await effects(database) == [("thing/1", 1)]
    assert len(await partitions(connection, "inbox")) == 3  # one week less, which would take the message's place
    await connection.close()


@pytest.mark.parametrize(
    ("status", "received", "stays"),
    [("done", "31 days", False), ("done", "29 days", True), ("dead", "31 days", True), ("parked", "31 days", True)],
)
async def test_partition_is_dropped_when_all_its_messages_expired(
    database: Database, database_url: str, status: str, received: str, stays: bool
) -> None:
    connection = await connected(database_url)
    name = await end_first_partition(connection, LONG_AGO)
    await add_done(connection, uuid_of(date(2025, 12, 1)), "60 days")
    await add_done(connection, uuid_of(date(2025, 12, 2)), received, status)
    await maintain(database)
    assert (name in await partitions(connection, "inbox")) is stays
    assert await connection.fetchval("SELECT count(*) FROM inbox") == (2 if stays else 0)
    await connection.close()


async def test_dead_message_of_an_old_partition_is_retried(database: Database, database_url: str) -> None:
    connection = await connected(database_url)
    await end_first_partition(connection, LONG_AGO)
    await maintain(database)
    await add_done(connection, uuid_of(date(2025, 12, 1)), "60 days", "dead")
    async with database.transaction() as session:
        assert await retry_dead_letters(session, []) == 1
    assert await connection.fetchval("SELECT status FROM inbox") == "retry"
    await connection.close()


async def test_deletion_of_the_previous_release_does_not_reach_other_partitions(
    database: Database, database_url: str
) -> None:
    """Rows at the same place of two partitions have the same ctid."""
    connection = await connected(database_url)
    await end_first_partition(connection, LONG_AGO)
    await maintain(database)
    await add_done(connection, uuid_of(date(2025, 12, 1)), "60 days")
    await add_done(connection, uuid_of(datetime.now(UTC).date()), "0")
    assert await connection.fetchval("SELECT count(DISTINCT ctid) FROM inbox") == 1
    assert await connection.fetch(FORMER_DELETE) == []
    assert await connection.fetchval("SELECT count(*) FROM inbox") == 2
    await connection.execute("SELECT keep_archive()")  # which that release calls before
    assert await connection.fetchval("SELECT count(*) FROM inbox") == 1
    await connection.close()


async def test_long_report_delays_the_drop_and_no_one_else(database: Database, database_url: str) -> None:
    connection, report = await connected(database_url), await connected(database_url)
    name = await end_first_partition(connection, LONG_AGO)
    await add_done(connection, uuid_of(date(2025, 12, 1)), "60 days")
    async with asyncio.timeout(DEADLINE_SECONDS), report.transaction():
        assert await report.fetchval("SELECT count(*) FROM inbox") == 1
        maintenance = asyncio.create_task(maintain(database))
        await until_waiting(connection)
        await inbox_of(database).receive([message(uuid_of(datetime.now(UTC).date()))])
        assert await effects(database) == [("thing/1", 1)]
        assert await report.fetchval("SELECT count(*) FROM inbox WHERE event_id < $1", uuid_of(LONG_AGO)) == 1
    async with asyncio.timeout(DEADLINE_SECONDS):
        await maintenance
    assert name not in await partitions(connection, "inbox")
    await report.close()
    await connection.close()


async def until_waiting(connection: asyncpg.Connection) -> None:
    """Until a transaction waits for the lock of a table."""
    while not await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation'"):
        await asyncio.sleep(0.01)
