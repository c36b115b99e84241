"""The schema after all migrations, and the events that they rename."""

import json

import asyncpg
import pytest

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.postgres.migrations import migrate
from stockbuddy.chassis.testing.comments import uncommented
from stockbuddy.chassis.testing.plugin import NewDatabase
from stockbuddy.chassis.testing.revisions import migrate_to
from stockbuddy.stock.app import MIGRATIONS

INSERT = """
    INSERT INTO {table} (shard, event_id, routing_key, headers, payload, partition_key, created_at {id})
    VALUES (0, gen_random_uuid(), $1, $2, $3, 'product/1', now() {value})
"""
STORED = {
    "stock.reservation.made": {"id": 1},
    "stock.activity.unusual": {"movement_id": 2, "usual": 1.5, "times": 8.4},
    "stock.sale.completed": {"id": 3},
}


async def test_every_table_and_column_has_a_comment(database_url: str) -> None:
    database = Database(database_url, "stock")
    async with database.reading() as session:
        assert await uncommented(session) == []
    await database.close()


async def test_searches_evaluate_text_keys_inline(database: asyncpg.Connection) -> None:
    """A function with a setting of its own is called for each row, which makes searches of long lists slow."""
    plan = await database.fetch("EXPLAIN VERBOSE SELECT FROM customer WHERE strpos(text_key(notes), 'a') > 0")
    assert not [line for (line,) in plan if "text_key" in line]


@pytest.mark.parametrize("table", ["outbox", "outbox_archive"])
async def test_stored_events_are_renamed(new_database: NewDatabase, table: str) -> None:
    """Events that the release before migration 0056 stored, as the newest one has them."""
    url = await new_database(lambda url: migrate_to("0055", url, "stock", MIGRATIONS))
    database = await asyncpg.connect(url, server_settings={"search_path": "stock"})
    archived = {"id": ", id", "value": ", 1"} if table == "outbox_archive" else {"id": "", "value": ""}
    for event_type, payload in STORED.items():
        headers = {"type": event_type, "dataschema": f"urn:stockbuddy:schema:{event_type}", "actorid": "1"}
        values = (event_type, json.dumps(headers), json.dumps(payload))
        await database.execute(INSERT.format(table=table, **archived), *values)
    await migrate(url, "stock", MIGRATIONS)
    rows = {row["routing_key"]: row for row in await database.fetch("SELECT * FROM outbox_event ORDER BY place")}
    await database.close()
    assert all((row["sent_at"] is not None) is (table == "outbox_archive") for row in rows.values())
    assert {event_type: json.loads(row["payload"]) for event_type, row in rows.items()} == {
        "stock.reservation.created": {"id": 1},
        "stock.activity.unusual": {"movement_id": 2, "typical_quantity": 1.5, "ratio": 8.4},
        "stock.sale.completed": {"id": 3},
    }
    for event_type, row in rows.items():
        schema = f"urn:stockbuddy:schema:{event_type}"
        assert json.loads(row["headers"]) == {"type": event_type, "dataschema": schema, "actorid": "1"}
