"""Periods of the log: consumers, the chain and the audit trail do not notice that one ends."""

from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
import uuid_utils
from httpx2 import AsyncClient

from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.messaging.outbox import open_database
from stockbuddy.notifications.event_log.append import Appender

MOVED = 5
LENGTH = 40


def till_opened() -> Message:
    event_id = str(uuid_utils.uuid7())
    return Message(event_id, "till.opened", {"specversion": "1.0", "id": event_id, "source": "/tills/4"}, b"{}")


@pytest.fixture
async def owner(database_url: str) -> Any:
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "notifications"})
    yield connection
    await connection.close()


async def end_period(owner: asyncpg.Connection) -> None:
    await owner.execute(f"SELECT start_log_period('ORDER BY position DESC LIMIT {MOVED}')")


async def read(admin: AsyncClient, path: str, **query: str) -> Any:
    response = await admin.get(path, params=query)
    assert response.status_code == 200, response.text
    return response.json()


async def answers(admin: AsyncClient) -> list[Any]:
    """What clients read; without what depends on the moment."""
    paths = (
        "/events",
        "/audit-logs",
        "/audit-logs/verify",
        "/audit-logs?types=stock.*&search=seven",
        "/events?types=stock.*",
    )
    return [await read(admin, path) for path in paths]


async def test_everything_reads_the_same_after_a_period_has_ended(
    admin: AsyncClient, service: Any, samples: Any, owner: asyncpg.Connection
) -> None:
    await service.publish(*(samples.movement(number, notes="seven") for number in range(LENGTH)))
    before = await answers(admin)
    await end_period(owner)
    assert await owner.fetchval("SELECT count(*) FROM ONLY event_log") == MOVED
    assert await answers(admin) == before
    assert before[2]["ok"]
    middle = str(LENGTH - MOVED - 2)  # in the former table
    page = await read(admin, "/events", after=middle, limit="4")
    assert len(page["items"]) == 4


async def test_cursors_stay_valid_and_the_log_continues(
    admin: AsyncClient, service: Any, samples: Any, owner: asyncpg.Connection, start: Any
) -> None:
    await service.publish(*(samples.movement(number) for number in range(LENGTH)))
    cursor = (await read(admin, "/events"))["next_cursor"]
    await end_period(owner)
    await service.publish(samples.movement(LENGTH))
    await (await start()).publish(samples.movement(LENGTH + 1))  # compares the storage with the recorded one
    following = await read(admin, "/events", after=cursor)
    assert len(following["items"]) == 2
    verdict = await read(admin, "/audit-logs/verify")
    assert (verdict["ok"], verdict["entries"]) == (True, LENGTH + 2)


async def test_event_of_a_former_period_is_appended_once(
    admin: AsyncClient, service: Any, owner: asyncpg.Connection, database_url: str
) -> None:
    known = [till_opened() for _ in range(MOVED + 2)]
    await service.deliver(known)
    await end_period(owner)
    database = open_database(database_url, "notifications")
    with pytest.raises(asyncpg.UniqueViolationError):
        await Appender().append(database, [known[0]])
    await database.close()
    new = till_opened()
    await service.deliver([known[0], new, known[-1]])
    assert [item["id"] for item in (await read(admin, "/events"))["items"]] == [*(m.id for m in known), new.id]
    assert (await read(admin, "/audit-logs/verify"))["ok"]


async def test_former_periods_stay_append_only(service: Any, owner: asyncpg.Connection) -> None:
    await service.deliver([till_opened() for _ in range(MOVED + 2)])
    await end_period(owner)
    tables = await owner.fetch(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'event_log'::regclass"
    )
    for table in ("event_log", *(row[0] for row in tables)):
        for statement in (f"UPDATE {table} SET type = type", f"DELETE FROM {table}", f"TRUNCATE {table}"):
            with pytest.raises(asyncpg.IntegrityConstraintViolationError):
                await owner.execute(statement)


async def test_period_ends_when_the_log_is_large_and_old(owner: asyncpg.Connection) -> None:
    """Otherwise it continues."""
    add = """
        INSERT INTO event_log (position, event_id, type, at, audited, attributes, data, hash)
        SELECT number, gen_random_uuid(), 'a', $3, false, '{}', '{}', decode(repeat('00', 32), 'hex')
        FROM generate_series($1::bigint, $2::bigint) number
    """
    await owner.execute(add, 1, 1000, datetime(2024, 1, 1, tzinfo=UTC))
    await owner.execute("SELECT keep_event_log()")
    assert await owner.fetchval("SELECT count(*) FROM ONLY event_log") == 1000
    await owner.execute(add, 1001, 101_000, datetime(2026, 6, 1, tzinfo=UTC))
    await owner.execute("SELECT keep_event_log()")
    assert await owner.fetchval("SELECT count(*) FROM ONLY event_log") == 1000
    assert await owner.fetchval("SELECT count(*) FROM event_log") == 101_000
    await owner.execute("SELECT keep_event_log()")
    assert await owner.fetchval("SELECT count(*) FROM ONLY event_log") == 1000
