"""Erased persons in the log: their values are gone, the chain verifies, and late events do not bring them back."""

import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from httpx2 import AsyncClient

from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.runtime.event_context import EventContext
from stockbuddy.contracts.auth import LoginFailed, UserErased, UserUpdated
from stockbuddy.contracts.stock import CustomerCreated, CustomerErased
from stockbuddy.notifications.event_log.chain import LogEntry, hash_entry
from stockbuddy.notifications.event_log.entry_metadata import parse_time

QUILL = {"username": "zquill", "email": "zenobia@example.com", "full_name": "Zenobia Quill"}
ZENOBIA = EventContext(actor_id=9, actor_name="zquill", client_ip="203.0.113.9", request_id="req-2")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "notifications"})
    yield connection
    await connection.close()


async def stored(database: asyncpg.Connection) -> str:
    """Everything in the tables of the log, the replicas and the queues."""
    tables = (
        *("event_log", "event_log_word", "personal_value", "user_replica", "notification"),
        *("queued_email", "inbox", "outbox_chunk"),
    )
    rows = [await database.fetch(f"SELECT CAST(to_jsonb(t) AS text) FROM {table} t") for table in tables]
    return json.dumps([row[0] for found in rows for row in found])


def erased_user(samples: Any, version: int = 9) -> Any:
    neutral = {"username": "erased-9", "email": "erased-9@erased.invalid", "is_active": False, "version": version}
    return samples.user(9, UserErased, **neutral)


def customer(**fields: Any) -> CustomerCreated:
    values = {"customer_id": 5, "version": 1, "name": "Zenobia Quill", "email": "zenobia@example.com"}
    return CustomerCreated.model_validate(values | fields)


async def test_reads_show_values_until_they_are_erased(
    service: Any, samples: Any, admin: AsyncClient, database: asyncpg.Connection
) -> None:
    changes = {"email": {"from": "zenobia@example.com", "to": "z@example.com"}}
    [registered, *_] = await service.publish(
        samples.user(9, **QUILL), samples.user(9, UserUpdated, **QUILL | {"version": 2}, changes=changes)
    )
    await service.publish(samples.movement(1), context=ZENOBIA)
    await service.publish(LoginFailed(login="zquill", user_id=9, reason="password"))
    plain = "".join(str(tuple(row)) for row in await database.fetch("SELECT * FROM event_log"))
    assert not [value for value in QUILL.values() if value in plain], "the hashed log itself contains placeholders"
    before = (await admin.get("/events")).json()["items"]
    assert before[0]["data"] == json.loads(registered.body)
    assert before[1]["data"]["changes"] == changes
    assert before[2]["actorname"] == "zquill"
    assert before[3]["subject"] == "login/9"
    for search, total in {"zqui 203.0.113.9": 4, "Zen registered": 1}.items():
        assert (await admin.get("/audit-logs", params={"search": search})).json()["total"] == total, search
    assert (await admin.get("/audit-logs", params={"actor": "zquill"})).json()["total"] == 1
    await service.publish(erased_user(samples))
    assert not [value for value in QUILL.values() if value in await stored(database)]
    after = (await admin.get("/events")).json()["items"]
    assert {after[0]["data"][name] for name in QUILL} == {"[erased]"}
    assert (after[2]["actorid"], after[2]["actorname"]) == ("9", "[erased]")
    assert after[2]["data"] == before[2]["data"]
    assert (await admin.get("/audit-logs", params={"actor_id": 9})).json()["items"][0]["actor"] == "[erased]"
    assert (await admin.get("/audit-logs", params={"search": "Zenobia"})).json()["total"] == 0
    assert (await admin.get("/audit-logs/verify")).json()["ok"]


async def test_late_and_repeated_events_do_not_bring_values_back(
    service: Any, samples: Any, admin: AsyncClient, database: asyncpg.Connection
) -> None:
    [early] = await service.publish(customer())
    erased = CustomerErased(customer_id=5, version=3, name="erased-5")
    messages = await service.publish(erased)
    await service.publish(customer(version=2, phone="+44 20 7946 0999"), erased_user(samples))
    await service.publish(samples.user(9, **QUILL), samples.movement(2), context=ZENOBIA)
    await service.deliver([early, *messages])
    found = await stored(database)
    assert not [value for value in (*QUILL.values(), "7946 0999") if value in found]
    replica = await database.fetchrow("SELECT username, email, is_active FROM user_replica WHERE id = 9")
    assert tuple(replica) == ("erased-9", "erased-9@erased.invalid", False)
    assert (await admin.get("/audit-logs/verify")).json()["ok"]


async def test_altered_personal_value_is_reported(
    service: Any, samples: Any, admin: AsyncClient, database: asyncpg.Connection
) -> None:
    await service.publish(samples.user(9, **QUILL))
    await database.execute("UPDATE personal_value SET value = 'mallory' WHERE value = 'zquill'")
    verdict = (await admin.get("/audit-logs/verify")).json()
    assert (verdict["ok"], verdict["first_bad_id"], verdict["altered_values"]) == (False, None, 1)


async def append_as_earlier_release(database: asyncpg.Connection, messages: list[Message]) -> None:
    """Append entries that contain the values themselves."""
    position, previous = await database.fetchrow("SELECT position, hash FROM event_log_head")
    for message in messages:
        position += 1
        headers = dict(message.headers)
        entry = LogEntry(
            position,
            message.id,
            message.type,
            headers.get("subject"),
            parse_time(headers.get("time")),
            int(headers["actorid"]),
            headers["actorname"],
            headers.pop("clientip"),
            headers.get("requestid"),
            True,
            json.dumps(headers, ensure_ascii=False, separators=(",", ":")),
            message.body.decode(),
        )
        previous = hash_entry(previous, entry)
        columns = [getattr(entry, name) for name in LogEntry.__slots__]
        await database.execute(
            "INSERT INTO event_log VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)", *columns, previous
        )
    await database.execute(
        "UPDATE event_log_head SET position = $1, hash = $2, audited = audited + $3", position, previous, len(messages)
    )
    await database.execute("UPDATE redaction_bound SET position = $1", position + 100)


async def test_entries_of_earlier_releases_are_redacted_and_still_verify(
    service: Any, samples: Any, admin: AsyncClient, database: asyncpg.Connection, message_of: Any, until: Any
) -> None:
    old = [
        message_of(samples.user(9, **QUILL)),
        message_of(samples.movement(1)),
        message_of(samples.movement(2), ZENOBIA),
        message_of(customer()),
    ]
    await append_as_earlier_release(database, old)

    async def is_indexed() -> bool:
        return bool(await database.fetchval("SELECT position >= 4 FROM event_log_word_head"))

    await until(is_indexed)
    assert QUILL["username"] in await stored(database)
    await service.publish(samples.movement(3), context=ZENOBIA)
    await service.publish(erased_user(samples), CustomerErased(customer_id=5, version=3, name="erased-5"))

    async def is_redacted() -> bool:
        return not await database.fetchval("SELECT count(*) FROM redaction_request")

    await until(is_redacted)
    found = await stored(database)
    assert not [value for value in QUILL.values() if value in found]
    assert [row["position"] for row in await database.fetch("SELECT position FROM redaction ORDER BY 1")] == [1, 3, 4]
    verdict = (await admin.get("/audit-logs/verify")).json()
    assert verdict["ok"], verdict
    recorded = (await admin.get("/events", params={"types": "notifications.entries.*"})).json()["items"]
    assert {event["data"]["person"]: event["data"]["entries"] for event in recorded} == {"user/9": 2, "customer/5": 1}
    await database.execute("SET session_replication_role = replica")
    await database.execute("UPDATE event_log SET data = '{\"user_id\": 9}' WHERE position = 1")
    assert (await admin.get("/audit-logs/verify")).json()["first_bad_id"] == 1
    await database.execute("UPDATE redaction SET digest = sha256('x') WHERE position = 4")
    assert (await admin.get("/audit-logs/verify")).json()["ok"] is False
