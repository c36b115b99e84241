"""Migrations: comments of the schema, and the renamed events of invitations."""

import json
import shutil
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from stockbuddy.auth.app import MIGRATIONS
from stockbuddy.chassis.messaging.outbox import shard_of
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.postgres.migrations import migrate
from stockbuddy.chassis.testing.comments import uncommented

SUBJECT = "access-token/7"
INSERT = """
    INSERT INTO auth.{table} (shard, {id} event_id, routing_key, headers, payload, partition_key, created_at)
    VALUES ($1, {one} gen_random_uuid(), $2, $3, $4, $5, now())
"""


async def test_tables_and_columns_have_comments(database_url: str) -> None:
    database = Database(database_url, "auth", pool_size=1)
    try:
        async with database.reading() as session:
            assert await uncommented(session) == []
    finally:
        await database.close()


@pytest.mark.parametrize("table", ["outbox", "outbox_archive"])
async def test_stored_invitation_events_are_renamed(new_database: Any, tmp_path: Path, table: str) -> None:
    url = await new_database()
    former = shutil.copytree(MIGRATIONS, tmp_path / "migrations")
    for migration in (former / "versions").glob("*.py"):
        if migration.name >= "0003":
            migration.unlink()
    await migrate(url, "auth", former)
    connection = await asyncpg.connect(url)
    try:
        insert = INSERT.format(table=table, id="", one="")
        if table == "outbox_archive":
            insert = INSERT.format(table=table, id="id,", one="1,")
        for event_type, subject in [("auth.access_token.created", SUBJECT), ("auth.user.registered", "user/1")]:
            headers = {
                "type": event_type,
                "dataschema": f"urn:stockbuddy:schema:{event_type}",
                "subject": subject,
                "partitionkey": subject,
                "actorid": "1",
            }
            payload = {"access_token_id": 7, "role": "salesperson"} if subject == SUBJECT else {"user_id": 1}
            values = (json.dumps(headers), json.dumps(payload), subject)
            await connection.execute(insert, shard_of(subject), event_type, *values)
        await migrate(url, "auth", MIGRATIONS)
        rows = await connection.fetch(f"SELECT * FROM auth.{table} ORDER BY routing_key")
    finally:
        await connection.close()
    renamed, other = rows
    assert (renamed["routing_key"], renamed["partition_key"]) == ("auth.invitation.created", "invitation/7")
    assert json.loads(renamed["headers"]) == {
        "type": "auth.invitation.created",
        "dataschema": "urn:stockbuddy:schema:auth.invitation.created",
        "subject": "invitation/7",
        "partitionkey": "invitation/7",
        "actorid": "1",
    }
    assert json.loads(renamed["payload"]) == {"invitation_id": 7, "role": "salesperson"}
    assert (other["routing_key"], json.loads(other["payload"])) == ("auth.user.registered", {"user_id": 1})
