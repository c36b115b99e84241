"""GET /audit-logs/verify: every change made to the log in the database is reported."""

import hashlib
import json
from collections.abc import AsyncIterator
from datetime import UTC
from typing import Any

import asyncpg
import pytest
from httpx2 import AsyncClient

LENGTH = 1100  # more than one batch of the verification

COPY = """
    INSERT INTO event_log SELECT {position}, gen_random_uuid(), type, subject, at, actor_id, actor, client_ip,
        request_id, audited, attributes, data, hash FROM event_log WHERE position = 1100
"""


@pytest.fixture
async def intruder(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the superuser with triggers disabled."""
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "notifications"})
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.close()


@pytest.fixture
async def history(service: Any, samples: Any) -> None:
    await service.publish(*(samples.movement(number, notes='naïve ☕ "quoted"') for number in range(LENGTH)))


async def verdict(admin: AsyncClient, **query: Any) -> dict[str, Any]:
    response = await admin.get("/audit-logs/verify", params=query)
    assert response.status_code == 200, response.text
    result: dict[str, Any] = response.json()
    return result


async def test_empty_log_verifies(admin: AsyncClient) -> None:
    result = await verdict(admin)
    assert (result["ok"], result["entries"], result["first_bad_id"]) == (True, 0, None)


@pytest.mark.usefixtures("history")
async def test_untouched_log_verifies(admin: AsyncClient) -> None:
    result = await verdict(admin)
    assert (result["ok"], result["entries"], result["first_bad_id"]) == (True, LENGTH, None)
    assert result["last_id"] == LENGTH


TAMPERING = {
    "UPDATE event_log SET data = '{\"quantity\": -1}' WHERE position = 900": 900,
    "UPDATE event_log SET actor = 'mallory' WHERE position = 1": 1,
    "UPDATE event_log SET actor_id = 8 WHERE position = 1100": 1100,
    "UPDATE event_log SET at = at - interval '1 microsecond' WHERE position = 30": 30,
    "UPDATE event_log SET at = 'infinity' WHERE position = 12": 12,
    "UPDATE event_log SET at = '20000-01-01' WHERE position = 12": 12,
    "UPDATE event_log SET at = '0044-03-15 BC' WHERE position = 1050": 1050,
    "UPDATE event_log SET position = -1 WHERE position = 40; UPDATE event_log SET position = 40 WHERE position = 41;"
    "UPDATE event_log SET position = 41 WHERE position = -1": 40,
    "UPDATE event_log SET client_ip = NULL WHERE position = 1001": 1001,
    "UPDATE event_log SET audited = false WHERE position = 77": 77,
    "UPDATE event_log SET type = 'stock.movement.forgotten' WHERE position = 5": 5,
    "UPDATE event_log SET hash = sha256('x') WHERE position = 1000": 1000,
    "DELETE FROM event_log WHERE position = 900": 900,
    "DELETE FROM event_log WHERE position > 1000": 1001,
    "DELETE FROM event_log": 1,
    "DELETE FROM event_log WHERE position > 1000; UPDATE event_log_head SET position = 1000": 1001,
    "UPDATE event_log_head SET hash = sha256('x')": 1101,
    "UPDATE event_log_head SET position = 9999": 1101,
    "UPDATE event_log_head SET audited = 0": 1101,
    f"{COPY.format(position=1101)}; UPDATE event_log_head SET position = 1101": 1101,
    COPY.format(position=1101): 1101,
    COPY.format(position=0): 0,
}
"""Statement → the id at which it must be reported."""


@pytest.mark.usefixtures("history")
async def test_tampering_is_reported_at_the_first_bad_entry(admin: AsyncClient, intruder: asyncpg.Connection) -> None:
    await intruder.execute("CREATE TABLE kept AS TABLE event_log; CREATE TABLE kept_head AS TABLE event_log_head")
    for statement, bad_id in TAMPERING.items():
        await intruder.execute(statement)
        result = await verdict(admin)
        assert (result["ok"], result["first_bad_id"]) == (False, bad_id), statement
        await intruder.execute(
            "DELETE FROM event_log; INSERT INTO event_log TABLE kept;"
            "DELETE FROM event_log_head; INSERT INTO event_log_head TABLE kept_head"
        )
        assert (await verdict(admin))["ok"], statement


@pytest.mark.usefixtures("history")
async def test_rewritten_log_with_new_hashes_fails_against_a_known_hash(
    admin: AsyncClient, intruder: asyncpg.Connection
) -> None:
    noted = await verdict(admin)
    await intruder.execute("UPDATE event_log SET actor = 'mallory' WHERE position = 900")
    await rehash(intruder)
    assert (await verdict(admin))["ok"]
    result = await verdict(admin, known_id=noted["last_id"], known_hash=noted["last_hash"])
    assert (result["ok"], result["first_bad_id"]) == (False, noted["last_id"])


@pytest.mark.usefixtures("history")
async def test_truncated_log_with_new_head_fails_against_a_known_hash(
    admin: AsyncClient, intruder: asyncpg.Connection
) -> None:
    noted = await verdict(admin)
    await intruder.execute("DELETE FROM event_log WHERE position > 900")
    await rehash(intruder)
    assert (await verdict(admin))["ok"]
    result = await verdict(admin, known_id=noted["last_id"], known_hash=noted["last_hash"])
    assert (result["ok"], result["first_bad_id"]) == (False, 901)


@pytest.mark.usefixtures("history")
async def test_grown_log_verifies_against_a_known_hash(admin: AsyncClient, service: Any, samples: Any) -> None:
    noted = await verdict(admin)
    await service.publish(samples.movement())
    result = await verdict(admin, known_id=noted["last_id"], known_hash=noted["last_hash"])
    assert (result["ok"], result["entries"]) == (True, LENGTH + 1)


async def rehash(intruder: asyncpg.Connection) -> None:
    """An independent implementation of the canonical form in ADR 5."""
    previous = bytes(32)
    hashes: list[tuple[bytes, int]] = []
    for row in await intruder.fetch(
        "SELECT position, event_id::text, type, subject, at, actor_id, actor, client_ip, request_id, audited,"
        " attributes::text, data::text FROM event_log ORDER BY position"
    ):
        columns = list(row)
        columns[4] = columns[4].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")
        text = json.dumps(columns, ensure_ascii=False, separators=(",", ":"))
        previous = hashlib.sha256(previous + text.encode()).digest()
        hashes.append((previous, row["position"]))
    await intruder.executemany("UPDATE event_log SET hash = $1 WHERE position = $2", hashes)
    await intruder.execute(
        "UPDATE event_log_head SET position = $1, audited = $1, hash = $2", hashes[-1][1], hashes[-1][0]
    )


async def test_database_rejects_changes_of_the_log(database_url: str, service: Any, samples: Any) -> None:
    await service.publish(samples.movement())
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "notifications"})
    try:
        for statement in (
            "UPDATE event_log SET actor = 'x' WHERE position = 1",
            "DELETE FROM event_log WHERE position = 1",
            "TRUNCATE event_log",
            "UPDATE event_log_head SET position = 0",
            "DELETE FROM event_log_head",
        ):
            with pytest.raises(asyncpg.IntegrityConstraintViolationError):
                await connection.execute(statement)
    finally:
        await connection.close()
