"""Migration 0005 renames event types that are pending in the outbox or subscribed to by webhooks."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from stockbuddy.chassis.postgres.migrations import migrate
from stockbuddy.chassis.testing.plugin import NewDatabase
from stockbuddy.chassis.testing.revisions import migrate_to
from stockbuddy.contracts.notifications import AnnouncementPublished
from stockbuddy.contracts.stock import ReservationCreated
from stockbuddy.notifications.app import MIGRATIONS

WEBHOOK = """
    INSERT INTO webhook (url, event_types, expression, since_position, secret)
    VALUES ($1, $2, $3, 0, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw') RETURNING id
"""
OUTBOX = """
    INSERT INTO {table} (shard, event_id, routing_key, headers, payload, partition_key)
    VALUES (0, gen_random_uuid(), $1, $2, '{{}}', 'x')
"""
RESERVATION = ReservationCreated.model_validate(
    {
        "id": 1,
        "version": 1,
        "status": "active",
        "created_at": "2026-03-01T12:00:00Z",
        "expires_at": "2026-03-01T12:15:00Z",
        "lines": [],
    }
)


@pytest.fixture
async def database_url(new_database: NewDatabase) -> str:
    """A database at the revision before the renames."""
    return await new_database(lambda url: migrate_to("0004", url, "notifications", MIGRATIONS))


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "notifications"})
    yield connection
    await connection.close()


@pytest.fixture
def options() -> dict[str, Any]:
    return {"webhook_allow_private": True}


async def test_subscription_to_an_old_type_receives_the_renamed_type(
    connection: asyncpg.Connection, database_url: str, receiver: Any, start: Callable[[], Awaitable[Any]]
) -> None:
    old = "stock.reservation.made"
    await connection.execute(WEBHOOK, receiver.url, [old], f"^({old})$".replace(".", r"\."))
    await migrate(database_url, "notifications", MIGRATIONS)
    replica = await start()
    await replica.publish(RESERVATION)
    [received] = await receiver.wait_for(1)
    assert json.loads(received.body)["type"] == ReservationCreated.type


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["auth.access_token.*"], ["auth.invitation.*"]),
        (["auth.access_token.used", "stock.*"], ["auth.invitation.used", "stock.*"]),
        (["notifications.webhook.send_requested"], ["notifications.webhook.delivery_requested"]),
        (["*.made"], ["*.made", "notifications.announcement.published", "stock.reservation.created"]),
        (["catalog.*"], ["catalog.*"]),
        (["*"], ["*"]),
    ],
)
async def test_patterns_match_the_renamed_types_they_matched_before(
    connection: asyncpg.Connection, database_url: str, before: list[str], after: list[str]
) -> None:
    await connection.execute(WEBHOOK, "https://example.com/", before, "^()$")
    await migrate(database_url, "notifications", MIGRATIONS)
    row = await connection.fetchrow("SELECT event_types, expression, version FROM webhook")
    assert (row["event_types"], row["version"]) == (after, 1 if before == after else 2)
    if before != after:
        assert await connection.fetchval("SELECT $1 ~ $2", after[-1].replace("*", "x"), row["expression"])


@pytest.mark.parametrize("table", ["outbox", "outbox_archive"])
async def test_pending_event_is_published_under_its_new_type(
    connection: asyncpg.Connection, database_url: str, table: str
) -> None:
    old = "notifications.announcement.made"
    headers = {"id": str(uuid4()), "type": old, "dataschema": f"urn:stockbuddy:schema:{old}", "actorname": old}
    statement = OUTBOX.format(table=table)
    if table == "outbox_archive":
        statement = statement.replace("(shard,", "(id, created_at, shard,").replace("VALUES (", "VALUES (1, now(), ")
    await connection.execute(statement, old, json.dumps(headers))
    await migrate(database_url, "notifications", MIGRATIONS)
    row = await connection.fetchrow("SELECT routing_key, headers, sent_at FROM outbox_event")
    new = AnnouncementPublished.type
    assert (row["routing_key"], row["sent_at"] is None) == (new, table == "outbox")
    assert json.loads(row["headers"]) == headers | {"type": new, "dataschema": AnnouncementPublished.dataschema()}


async def test_level_alert_state_well_becomes_ok(connection: asyncpg.Connection, database_url: str) -> None:
    await connection.execute("INSERT INTO level_alert VALUES (1, 1, 0, 3, 'well'), (2, 1, 0, 4, 'low')")
    await migrate(database_url, "notifications", MIGRATIONS)
    rows = await connection.fetch("SELECT state FROM level_alert ORDER BY product_id")
    assert [row["state"] for row in rows] == ["ok", "low"]
