"""What replicas take of the queue: a message is whole, and one's alone, however many of them reach for it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.notifications.email import queries
from stockbuddy.notifications.email.queries import QueuedMail
from stockbuddy.notifications.email.sender import MailSender

SENT_BEFORE = """
    INSERT INTO mail (cause, recipient, kind, content, message_id)
    SELECT gen_random_uuid(), 'boss@example.com', 'low_stock', json_build_object('title', title, 'body', ''), '<m@x>'
    FROM unnest(ARRAY['one', 'two']) title
"""


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, "notifications")
    async with database.transaction() as session:
        await session.execute(text(SENT_BEFORE))
    yield database
    await database.close()


async def test_a_message_is_not_sent_twice_while_the_server_thinks_about_it(
    database: Database, mail_server: Any, until: Any
) -> None:
    mail_server.thinks_seconds = 2
    replicas = [MailSender(database, mail_server.url, "shop@example.com", lease_seconds=0.5) for _ in range(2)]
    running = [asyncio.create_task(replica.run()) for replica in replicas]

    async def sent() -> bool:
        async with database.reading() as session:
            return bool(await session.scalar(text("SELECT bool_and(state = 'sent') FROM mail")))

    await until(sent)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    assert len(mail_server.received) == 1


async def take(database: Database) -> QueuedMail | None:
    async with database.transaction() as session:
        return await queries.take_next(session, message_id="<other@x>", most=50, lease_seconds=60)


@pytest.mark.parametrize("title", ["one", "two"])
async def test_a_message_is_taken_whole_or_not_at_all(database: Database, database_url: str, title: str) -> None:
    other_replica = await asyncpg.connect(database_url)
    async with other_replica.transaction():
        await other_replica.execute("SELECT FROM notifications.mail WHERE content->>'title' = $1 FOR UPDATE", title)
        assert await take(database) is None
    await other_replica.close()
    mail = await take(database)
    assert mail is not None
    assert ([content.title for content in mail.contents], mail.message_id) == (["one", "two"], "<m@x>")
    assert await take(database) is None
