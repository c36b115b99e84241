"""GET /audit-logs/verify: whatever somebody does to the log in the database, it is found."""

import hashlib
import json
from collections.abc import AsyncIterator
from datetime import UTC
from typing import Any

import asyncpg
import pytest
from httpx2 import AsyncClient

LENGTH = 1100  # several of the pieces in which the walk reads

COPY = """
    INSERT INTO event_log SELECT {position}, gen_random_uuid(), type, subject, at, actor_id, actor, client_ip,
        request_id, audited, attributes, data, hash FROM event_log WHERE position = 1100
"""


@pytest.fixture
async def intruder(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Somebody with the database's superuser, on whom triggers are lost."""
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "notifications"})
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.close()


@pytest.fixture
async def history(service: Any, samples: Any) -> None:
    await service.say(*(samples.movement(number, notes='naïve ☕ "quoted"') for number in range(LENGTH)))


async def verdict(admin: AsyncClient, **query: Any) -> dict[str, Any]:
    response = await admin.get("/audit-logs/verify", params=query)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def test_an_empty_log_is_in_order(admin: AsyncClient) -> None:
    answer = await verdict(admin)
    assert (answer["ok"], answer["entries"], answer["first_bad_id"]) == (True, 0, None)


@pytest.mark.usefixtures("history")
async def test_an_untouched_log_is_in_order(admin: AsyncClient) -> None:
    answer = await verdict(admin)
    assert (answer["ok"], answer["entries"], answer["first_bad_id"]) == (True, LENGTH, None)
    assert answer["last_id"] == LENGTH


DEEDS = {
    "UPDATE event_log SET data = '{\"quantity\": -1}' WHERE position = 900": 900,
    "UPDATE event_log SET actor = 'somebody else' WHERE position = 1": 1,
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
"""What is done, and the id at which it must be found."""


@pytest.mark.usefixtures("history")
async def test_whatever_an_intruder_does_is_found(admin: AsyncClient, intruder: asyncpg.Connection) -> None:
    await intruder.execute("CREATE TABLE kept AS TABLE event_log; CREATE TABLE kept_head AS TABLE event_log_head")
    for deed, found_at in DEEDS.items():
        await intruder.execute(deed)
        answer = await verdict(admin)
        assert (answer["ok"], answer["first_bad_id"]) == (False, found_at), deed
        await intruder.execute(
            "DELETE FROM event_log; INSERT INTO event_log TABLE kept;"
            "DELETE FROM event_log_head; INSERT INTO event_log_head TABLE kept_head"
        )
        assert (await verdict(admin))["ok"], deed


@pytest.mark.usefixtures("history")
async def test_a_log_rewritten_with_fresh_hashes_is_found_by_a_hash_noted_before(
    admin: AsyncClient, intruder: asyncpg.Connection
) -> None:
    noted = await verdict(admin)
    await intruder.execute("UPDATE event_log SET actor = 'somebody else' WHERE position = 900")
    await rehash(intruder)
    assert (await verdict(admin))["ok"]
    answer = await verdict(admin, known_id=noted["last_id"], known_hash=noted["last_hash"])
    assert (answer["ok"], answer["first_bad_id"]) == (False, noted["last_id"])


@pytest.mark.usefixtures("history")
async def test_a_truncation_that_sets_the_head_back_is_found_by_a_hash_noted_before(
    admin: AsyncClient, intruder: asyncpg.Connection
) -> None:
    noted = await verdict(admin)
    await intruder.execute("DELETE FROM event_log WHERE position > 900")
    await rehash(intruder)
    assert (await verdict(admin))["ok"]
    answer = await verdict(admin, known_id=noted["last_id"], known_hash=noted["last_hash"])
    assert (answer["ok"], answer["first_bad_id"]) == (False, 901)


@pytest.mark.usefixtures("history")
async def test_a_noted_hash_that_still_holds_is_in_order(admin: AsyncClient, service: Any, samples: Any) -> None:
    noted = await verdict(admin)
    await service.say(samples.movement())
    answer = await verdict(admin, known_id=noted["last_id"], known_hash=noted["last_hash"])
    assert (answer["ok"], answer["entries"]) == (True, LENGTH + 1)


async def rehash(intruder: asyncpg.Connection) -> None:
    """What ADR 0005 says of the canonical form, written anew: a proof that it can be followed without our code."""
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


async def test_the_database_itself_refuses_to_rewrite(database_url: str, service: Any, samples: Any) -> None:
    await service.say(samples.movement())
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "notifications"})
    try:
        for deed in (
            "UPDATE event_log SET actor = 'x' WHERE position = 1",
            "DELETE FROM event_log WHERE position = 1",
            "TRUNCATE event_log",
            "UPDATE event_log_head SET position = 0",
            "DELETE FROM event_log_head",
        ):
            with pytest.raises(asyncpg.IntegrityConstraintViolationError):
                await connection.execute(deed)
    finally:
        await connection.close()
