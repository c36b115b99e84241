"""Consumers and relay while the environment is at fault, and events that the broker refuses."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import aio_pika
import pytest
from aio_pika.abc import FieldValue
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.testing import capture_logs

from stockbuddy.chassis.messaging import dead_letters, outbox
from stockbuddy.chassis.messaging.archive import Archive
from stockbuddy.chassis.messaging.bus import ConsumerUnavailable, EventRefused
from stockbuddy.chassis.messaging.bus.amqp import AmqpBus
from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.chassis.messaging.chunks import Chunk, to_message
from stockbuddy.chassis.messaging.handlers import Consumer, PredecessorMissing, each
from stockbuddy.chassis.messaging.inbox import MAX_ATTEMPTS, MAX_BATCHED_DELIVERIES, Inbox
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.messaging.outbox import open_database
from stockbuddy.chassis.messaging.relay import Relay
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.failures import DependencyUnavailable
from stockbuddy.chassis.testing.chunks import chunks_of
from stockbuddy.chassis.testing.probe import EFFECTS_GROUP, GROUPS, ProbeChanged, effects, note

DEADLINE_SECONDS = 60
BACKENDS = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'consumer'"


def inbox_of(database: Database, handle: object = note) -> Inbox:
    return Inbox(database, Consumer(EFFECTS_GROUP, {ProbeChanged.type: each(ProbeChanged, handle)}))  # type: ignore[arg-type]


def message(number: int, *, deliveries: int = 0) -> Message:
    written = outbox.to_outbox_event(ProbeChanged(thing=1, number=number))
    return replace(to_message(written.text), deliveries=deliveries)


async def publish(database: Database, *numbers: int) -> None:
    async with database.transaction() as session:
        outbox.add(session, *(ProbeChanged(thing=1, number=number) for number in numbers))


async def value(database: Database, statement: str) -> object:
    async with database.reading() as session:
        return await session.scalar(text(statement))


async def execute(database: Database, statement: str) -> None:
    async with database.transaction() as session:
        await session.execute(text(statement))


async def until(database: Database, statement: str, wanted: object) -> None:
    """Poll: rows of other transactions raise no event."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while await value(database, statement) != wanted:
            await asyncio.sleep(0.02)


async def until_outage(inbox: Inbox, reason: str | None) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while (inbox.outage.failure and inbox.outage.failure.reason) != reason:
            await asyncio.sleep(0.02)


@asynccontextmanager
async def consuming(bus_url: str, inbox: Inbox) -> AsyncIterator[None]:
    bus = AmqpBus(bus_url, name="probe", groups=GROUPS)
    await bus.start()
    await bus.subscribe(inbox.subscription())
    try:
        yield
    finally:
        await bus.close()


@pytest.fixture
async def as_consumer(database: Database, database_url: str) -> AsyncIterator[Database]:
    """The same database through a role that an operator restricts."""
    await execute(database, "DROP ROLE IF EXISTS consumer")
    await execute(database, "CREATE ROLE consumer SUPERUSER LOGIN PASSWORD 'consumer'")
    url = re.sub("//.*@", "//consumer:consumer@", database_url)
    limited = open_database(url, "probe", pool_size=5)
    yield limited
    await limited.close()
    await execute(database, "DROP ROLE consumer")


FAULTS = {
    "read-only": ("ALTER ROLE consumer SET default_transaction_read_only = on", "read_only"),
    "NOLOGIN": ("ALTER ROLE consumer NOLOGIN", "credentials_refused"),
    "no connections left": ("ALTER ROLE consumer NOSUPERUSER CONNECTION LIMIT 0", "too_many_connections"),
    "no privileges": ("ALTER ROLE consumer NOSUPERUSER", "schema_missing"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_consumer_waits_and_no_attempt_is_used_up(
    database: Database, as_consumer: Database, bus_url: str, fault: str
) -> None:
    statement, reason = FAULTS[fault]
    inbox, bus = inbox_of(as_consumer), AmqpBus(bus_url, name="probe", groups=GROUPS)
    with capture_logs() as logs:
        async with consuming(bus_url, inbox):
            await execute(database, statement)
            await value(database, BACKENDS)
            await bus.publish(chunks_of(message(number) for number in range(3)))
            await until_outage(inbox, reason)
            assert await value(database, "SELECT count(*) FROM inbox") == 0
            await execute(database, "ALTER ROLE consumer SUPERUSER LOGIN CONNECTION LIMIT -1")
            await execute(database, "ALTER ROLE consumer RESET default_transaction_read_only")
            await value(database, BACKENDS)
            await until(database, "SELECT count(*) FROM effect", 3)
            await until_outage(inbox, None)
    await bus.close()
    assert await value(database, "SELECT sum(attempts) FROM inbox WHERE status = 'done'") == 0
    assert await value(database, "SELECT count(*) FROM inbox WHERE status <> 'done'") == 0
    outage = [entry for entry in logs if entry["event"] == "inbox.dependency_unavailable"]
    assert [reason.replace("_", " ") in entry["failure"] for entry in outage if "ended" not in entry].count(True) == 1
    # Its end may name another failure: the terminated connections are one too.
    assert [entry.get("ended", False) for entry in outage].index(True) == len(outage) - 1


async def test_consumer_waits_for_a_locked_table_without_redeliveries(
    database: Database, database_url: str, bus_url: str
) -> None:
    """The ping succeeds all the while: returning the messages to the queue would use up its delivery limit."""
    hasty = open_database(f"{database_url}{'&' if '?' in database_url else '?'}connect_timeout=5", "probe")
    deliveries: list[int] = []

    async def note_with_short_timeout(session: AsyncSession, event: ProbeChanged) -> None:
        deliveries.append(event.number)
        await session.execute(text("SET LOCAL lock_timeout = '30ms'"))
        await note(session, event)

    inbox = inbox_of(hasty, note_with_short_timeout)
    async with consuming(bus_url, inbox), database.transaction() as owner:
        await owner.execute(text("LOCK TABLE effect"))
        bus = AmqpBus(bus_url, name="probe", groups=GROUPS)
        await bus.publish(chunks_of([message(1)]))
        async with asyncio.timeout(DEADLINE_SECONDS):
            while len(deliveries) < 6:
                await asyncio.sleep(0.02)
        assert inbox.outage.failure is not None
        assert not inbox.outage.failure.affects_everything
        await owner.rollback()
        await until(database, "SELECT count(*) FROM effect", 1)
        await bus.close()
    assert await value(database, "SELECT attempts FROM inbox WHERE status = 'done'") == 0
    await hasty.close()


async def test_interruptions_do_not_count_as_attempts_of_a_suspected_message(database: Database) -> None:
    unavailable = True

    async def need_auth(session: AsyncSession, event: ProbeChanged) -> None:
        if unavailable:
            raise DependencyUnavailable(dependency="auth")
        await note(session, event)

    inbox = inbox_of(database, need_auth)
    suspect = message(1, deliveries=MAX_BATCHED_DELIVERIES)
    for _ in range(MAX_ATTEMPTS * 2):
        with pytest.raises(ConsumerUnavailable, match="auth: unavailable"):
            await inbox.receive([suspect])
    unavailable = False
    await inbox.receive([suspect])
    assert await effects(database) == [("thing/1", 1)]


async def test_statement_timeout_is_the_messages_own_fault_if_the_database_answers(database: Database) -> None:
    async def be_slow(session: AsyncSession, event: ProbeChanged) -> None:
        if event.number == 1:
            await session.execute(text("SET LOCAL statement_timeout = '10ms'"))
            await session.execute(text("SELECT pg_sleep(1)"))
        await note(session, event)

    await inbox_of(database, be_slow).receive([message(1), message(2)])
    assert await effects(database) == [("thing/1", 2)]
    assert await value(database, "SELECT attempts FROM inbox WHERE status = 'retry'") == 1


async def test_parked_message_waits_by_time_not_by_attempts(database: Database) -> None:
    async def miss(session: AsyncSession, event: ProbeChanged) -> None:
        raise PredecessorMissing("not yet")

    inbox, parked = inbox_of(database, miss), message(2)
    for _ in range(MAX_ATTEMPTS + 1):
        await inbox.receive([parked])
    assert await value(database, "SELECT status FROM inbox") == "parked"
    await execute(database, "UPDATE inbox SET created_at = now() - interval '8 days'")
    await inbox.receive([parked])
    assert await value(database, "SELECT status FROM inbox") == "dead"


class SelectiveBus(InProcessBus):
    """Refuses a batch that contains an event with an even number, as a broker does with one that is too large."""

    async def publish(self, chunks: Sequence[Chunk]) -> None:
        if any(json.loads(event.body)["number"] % 2 == 0 for chunk in chunks for event in chunk.messages()):
            raise EventRefused("too large")
        await super().publish(chunks)


async def test_refused_event_is_set_aside_and_the_others_are_published(database: Database) -> None:
    bus = SelectiveBus(groups={EFFECTS_GROUP: GROUPS[EFFECTS_GROUP]})
    await bus.subscribe(inbox_of(database).subscription())
    await publish(database, *range(10))
    async with Relay(database, bus).worker(DEADLINE_SECONDS):
        await until(database, "SELECT count(*) FROM outbox_event WHERE sent_at IS NULL", 0)
    assert [number for _, number in await effects(database)] == [1, 3, 5, 7, 9]
    async with database.transaction() as session:
        listed = [json.loads(line) for line in await dead_letters.list_dead_letters(session)]
        assert [(row["group"], row["type"]) for row in listed] == [("outbox", ProbeChanged.type)] * 5
        assert all("too large" in row["error"] for row in listed)
        assert await dead_letters.retry_dead_letters(session, []) == 5
    accepting = InProcessBus(groups={EFFECTS_GROUP: GROUPS[EFFECTS_GROUP]})
    await accepting.subscribe(inbox_of(database).subscription())
    async with Relay(database, accepting).worker(DEADLINE_SECONDS):
        await until(database, "SELECT count(*) FROM effect", 10)
    assert await value(database, "SELECT count(*) FROM outbox_dead") == 0


async def test_unreadable_replay_request_is_dropped_and_the_next_one_served(database: Database, bus_url: str) -> None:
    await publish(database, 1)
    bus = AmqpBus(bus_url, name="probe", groups=GROUPS, archive=Archive(database))
    await bus.start()
    async with Relay(database, bus).worker(DEADLINE_SECONDS):
        await until(database, "SELECT count(*) FROM outbox_event WHERE sent_at IS NOT NULL", 1)
        async with await aio_pika.connect(bus_url) as connection, connection.channel() as channel:
            exchange = await channel.get_exchange("stockbuddy.replay")
            template = message(1)
            headers: dict[str, FieldValue] = {f"cloudEvents_{name}": value for name, value in template.headers.items()}
            headers["cloudEvents_type"] = "stockbuddy.replay.requested"
            for body in (b"{", b"[]", b"{}"):
                await exchange.publish(aio_pika.Message(body, headers=headers), "stockbuddy.replay.requested")
            await channel.queue_delete(EFFECTS_GROUP)
        inbox = inbox_of(database)
        async with consuming(bus_url, inbox):
            await until(database, "SELECT count(*) FROM effect", 1)
    await bus.close()


async def test_message_with_a_value_that_postgresql_cannot_store_is_dead_at_once(database: Database) -> None:
    async def store(session: AsyncSession, event: ProbeChanged) -> None:
        await session.execute(text("INSERT INTO effect (subject) VALUES (:text)"), {"text": f"\0{event.number}"})

    await inbox_of(database, store).receive([message(1)])
    assert await value(database, "SELECT status FROM inbox") == "dead"


@pytest.mark.parametrize(
    "attribute",
    [
        {"source": ""},
        {"time": "yesterday"},
        {"time": "2026-01-01T00:00:00"},
        {"actorid": "one"},
        {"sequence": "9" * 30},
    ],
    ids=str,
)
async def test_message_with_an_unusable_attribute_goes_to_the_dead_letter_queue(
    database: Database, bus_url: str, attribute: dict[str, str]
) -> None:
    async with consuming(bus_url, inbox_of(database)):
        bus = AmqpBus(bus_url, name="probe", groups=GROUPS)
        unusable, usable = message(1), message(2)
        unusable = replace(unusable, headers={**unusable.headers, **attribute})
        await bus.publish(chunks_of([unusable, usable]))
        await until(database, "SELECT count(*) FROM effect", 1)
        await bus.close()
    assert await value(database, "SELECT count(*) FROM inbox") == 1
    async with await aio_pika.connect(bus_url) as connection, connection.channel() as channel:
        dead = await channel.get_queue(f"{EFFECTS_GROUP}.dead")
        assert (await dead.get(timeout=DEADLINE_SECONDS)) is not None
