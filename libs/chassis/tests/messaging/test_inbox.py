"""The inbox: duplicates, crashing and malformed messages."""

import json
from collections.abc import Sequence

import uuid_utils
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging.handlers import Consumer, each
from stockbuddy.chassis.messaging.inbox import MAX_ATTEMPTS, Inbox
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.testing.probe import EFFECTS_GROUP, ProbeChanged, effects, note


def message(number: int, *, deliveries: int = 0, event_id: str | None = None) -> Message:
    event_id = event_id or str(uuid_utils.uuid7())
    body = json.dumps({"thing": 1, "number": number}).encode()
    return Message(event_id, ProbeChanged.type, {"id": event_id, "partitionkey": "thing/1"}, body, deliveries)


async def test_duplicates_within_and_across_batches_take_effect_once(database: Database) -> None:
    inbox = Inbox(database, Consumer(EFFECTS_GROUP, {ProbeChanged.type: each(ProbeChanged, note)}))
    first, second = message(1), message(2)
    await inbox.receive([first, second, first])
    await inbox.receive([second, first])
    assert await effects(database) == [("thing/1", 1), ("thing/1", 2)]


async def test_message_that_crashes_its_consumer_is_dead_lettered_and_others_are_handled(database: Database) -> None:
    class Killed(BaseException):
        """Stands for the end of the process: the inbox does not catch it."""

    async def die_on_two(session: AsyncSession, event: ProbeChanged) -> None:
        if event.number == 2:
            raise Killed
        await note(session, event)

    inbox = Inbox(database, Consumer(EFFECTS_GROUP, {ProbeChanged.type: each(ProbeChanged, die_on_two)}))
    neighbour, killer = message(1), message(2)
    for deliveries in range(MAX_ATTEMPTS + 5):
        try:
            await inbox.receive(
                [message(n, deliveries=deliveries, event_id=m.id) for n, m in ((1, neighbour), (2, killer))]
            )
        except Killed:
            continue
        break
    assert await effects(database) == [("thing/1", 1)]
    async with database.reading() as session:
        row = (await session.execute(text("SELECT event_id::text, attempts FROM inbox WHERE status = 'dead'"))).one()
    assert row.event_id == killer.id
    assert row.attempts == MAX_ATTEMPTS + 1


async def test_malformed_body_is_dead_lettered_at_once(database: Database) -> None:
    inbox = Inbox(database, Consumer(EFFECTS_GROUP, {ProbeChanged.type: each(ProbeChanged, note)}))
    broken = Message(str(uuid_utils.uuid7()), ProbeChanged.type, {"partitionkey": "k"}, b"{}")
    await inbox.receive([broken])
    async with database.reading() as session:
        assert await session.scalar(text("SELECT status FROM inbox")) == "dead"


async def test_delivery_that_fails_as_a_whole_is_handled_message_by_message(database: Database) -> None:
    async def refuse_twos(_: Database, messages: Sequence[Message]) -> bool:
        if any(json.loads(message.body)["number"] == 2 for message in messages):
            raise ValueError("two")
        return False

    handlers = {ProbeChanged.type: each(ProbeChanged, note)}
    inbox = Inbox(database, Consumer(EFFECTS_GROUP, handlers, repeatable=refuse_twos))
    await inbox.receive([message(1), message(2)])
    await inbox.receive([message(3)])
    assert await effects(database) == [("thing/1", 1), ("thing/1", 2), ("thing/1", 3)]


async def test_repeatable_delivery_leaves_no_inbox_rows(database: Database) -> None:
    received: list[Message] = []

    async def receive(_: Database, messages: Sequence[Message]) -> bool:
        received.extend(messages)
        return True

    inbox = Inbox(database, Consumer(EFFECTS_GROUP, {}, repeatable=receive))
    await inbox.receive([message(1), message(2)])
    assert [json.loads(one.body)["number"] for one in received] == [1, 2]
    async with database.reading() as session:
        assert await session.scalar(text("SELECT count(*) FROM inbox")) == 0
