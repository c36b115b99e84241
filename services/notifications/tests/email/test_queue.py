"""Leases of the e-mail queue with several replicas: one message is leased whole, by one replica at a time."""

import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from stockbuddy.chassis.messaging.outbox import open_database
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.notifications.email import queries
from stockbuddy.notifications.email.queries import LeasedEmail
from stockbuddy.notifications.email.sender import EmailSender
from stockbuddy.notifications.settings import NotificationsSettings

LEASED_BEFORE = """
    INSERT INTO queued_email (cause, recipient, kind, content, message_id)
    SELECT gen_random_uuid(), 'boss@example.com', 'low_stock', json_build_object('title', title, 'body', ''), '<m@x>'
    FROM unnest(ARRAY['one', 'two']) title
"""


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = open_database(database_url, "notifications")
    async with database.transaction() as session:
        await session.execute(text(LEASED_BEFORE))
    yield database
    await database.close()


async def test_slow_smtp_response_does_not_cause_a_second_attempt(
    database: Database, mail_server: Any, until: Any
) -> None:
    mail_server.response_delay_seconds = 2
    settings = NotificationsSettings(env="development", smtp_url=mail_server.url, mail_from="shop@example.com")
    replicas = [EmailSender(database, settings, lease_seconds=0.5) for _ in range(2)]

    async def sent() -> bool:
        async with database.reading() as session:
            return bool(await session.scalar(text("SELECT bool_and(state = 'sent') FROM queued_email")))

    async with replicas[0].worker, replicas[1].worker:
        await until(sent)
    assert len(mail_server.received) == 1


async def lease_next(database: Database) -> LeasedEmail | None:
    async with database.transaction() as session:
        return await queries.lease_next(session, message_id="<other@x>", limit=50, lease_seconds=60)


@pytest.mark.parametrize("title", ["one", "two"])
async def test_message_with_a_locked_row_is_not_leased(database: Database, database_url: str, title: str) -> None:
    other_replica = await asyncpg.connect(database_url)
    async with other_replica.transaction():
        await other_replica.execute(
            "SELECT FROM notifications.queued_email WHERE content->>'title' = $1 FOR UPDATE", title
        )
        assert await lease_next(database) is None
    await other_replica.close()
    email = await lease_next(database)
    assert email is not None
    assert [json.loads(document)["title"] for document in email.documents] == ["one", "two"]
    assert email.message_id == "<m@x>"
    assert await lease_next(database) is None
