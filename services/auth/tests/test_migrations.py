"""Migrations: comments of the schema, and the renamed events of invitations."""

import json
import runpy

import asyncpg
import pytest

from stockbuddy.auth.app import MIGRATIONS
from stockbuddy.chassis.messaging.outbox import shard_of
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.postgres.migrations import migrate
from stockbuddy.chassis.testing.comments import uncommented
from stockbuddy.chassis.testing.plugin import NewDatabase
from stockbuddy.chassis.testing.revisions import migrate_to
from stockbuddy.contracts.auth import SettingsChanged

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
async def test_stored_invitation_events_are_renamed(new_database: NewDatabase, table: str) -> None:
    """Events that the version before migration 0003 stored, as the newest version has them."""
    database_url = await new_database(lambda url: migrate_to("0002", url, "auth", MIGRATIONS))
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "auth"})
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
        await migrate(database_url, "auth", MIGRATIONS)
        rows = await connection.fetch("SELECT * FROM auth.outbox_event ORDER BY routing_key")
    finally:
        await connection.close()
    renamed, other = rows
    assert all((row["sent_at"] is not None) is (table == "outbox_archive") for row in rows)
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


async def test_settings_with_a_time_zone_are_published_again(database_url: str) -> None:
    """Executes the statement of migration 0008; the default, UTC, needs no event."""
    new_version = runpy.run_path(str(MIGRATIONS / "versions/0008_republished_settings.py"))["NEW_VERSION"]
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "auth"})
    try:
        assert await connection.fetch(new_version) == []
        await connection.execute("UPDATE system_settings SET timezone = 'Europe/Berlin'")
        [row] = await connection.fetch(new_version)
    finally:
        await connection.close()
    event = SettingsChanged.model_validate(dict(row))
    assert (event.version, event.timezone) == (2, "Europe/Berlin")
