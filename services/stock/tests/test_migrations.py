"""The schema after all migrations, and the events that they rename."""

import json
import shutil
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.postgres.migrations import migrate
from stockbuddy.chassis.testing.comments import uncommented
from stockbuddy.stock.app import MIGRATIONS

INSERT = """
    INSERT INTO stock.{table} (shard, {id} event_id, routing_key, headers, payload, partition_key, created_at)
    VALUES (0, {value} gen_random_uuid(), $1, $2, $3, 'product/1', now())
"""


async def test_every_table_and_column_has_a_comment(database_url: str) -> None:
    database = Database(database_url, "stock")
    async with database.reading() as session:
        assert await uncommented(session) == []
    await database.close()


@pytest.mark.parametrize("table", ["outbox", "outbox_archive"])
async def test_stored_events_are_renamed(new_database: Any, tmp_path: Path, table: str) -> None:
    url = await new_database()
    before = shutil.copytree(MIGRATIONS, tmp_path / "migrations")
    for revision in ("0056_standard_terms", "0057_comments"):
        (before / f"versions/{revision}.py").unlink()
    await migrate(url, "stock", before)
    stored = {
        "stock.reservation.made": {"id": 1},
        "stock.activity.unusual": {"movement_id": 2, "usual": 1.5, "times": 8.4},
        "stock.sale.completed": {"id": 3},
    }
    connection = await asyncpg.connect(url)
    insert = INSERT.format(table=table, id="id,", value="1,") if table == "outbox_archive" else None
    for event_type, payload in stored.items():
        headers = {"type": event_type, "dataschema": f"urn:stockbuddy:schema:{event_type}", "actorid": "1"}
        values = (event_type, json.dumps(headers), json.dumps(payload))
        await connection.execute(insert or INSERT.format(table=table, id="", value=""), *values)
    await migrate(url, "stock", MIGRATIONS)
    rows = {row["routing_key"]: row for row in await connection.fetch(f"SELECT * FROM stock.{table}")}
    await connection.close()
    assert {event_type: json.loads(row["payload"]) for event_type, row in rows.items()} == {
        "stock.reservation.created": {"id": 1},
        "stock.activity.unusual": {"movement_id": 2, "typical_quantity": 1.5, "ratio": 8.4},
        "stock.sale.completed": {"id": 3},
    }
    for event_type, row in rows.items():
        schema = f"urn:stockbuddy:schema:{event_type}"
        assert json.loads(row["headers"]) == {"type": event_type, "dataschema": schema, "actorid": "1"}
