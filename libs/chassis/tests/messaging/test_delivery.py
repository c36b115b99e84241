"""From a committed transaction to a committed effect: outbox, relay, bus and inbox together, on both buses."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aio_pika
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.messaging.archive import Archive
from stockbuddy.chassis.messaging.bus import Bus
from stockbuddy.chassis.messaging.bus.amqp import AmqpBus
from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.chassis.messaging.handlers import Consumer, PermanentFailure, PredecessorMissing, each
from stockbuddy.chassis.messaging.inbox import Inbox
from stockbuddy.chassis.messaging.relay import Relay
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.event_context import EventContext, current_event_context, event_context
from stockbuddy.chassis.testing.buses import until_connected
from stockbuddy.chassis.testing.probe import EFFECTS_GROUP, EVERYTHING_GROUP, GROUPS, ProbeChanged, effects, note

DEADLINE_SECONDS = 60
Handle = Callable[[AsyncSession, ProbeChanged], Awaitable[None]]


async def publish(database: Database, *numbers: int, thing: int = 1) -> None:
    async with database.transaction() as session:
        outbox.add(session, *(ProbeChanged(thing=thing, number=number) for number in numbers))


@dataclass
class System:
    """A service that hears itself: `running` starts its relay and its consumer, and stops them again."""

    database: Database
    make_bus: Callable[[], Bus]

    @asynccontextmanager
    async def running(self, handle: Handle = note) -> AsyncIterator[None]:
        bus = self.make_bus()
        await bus.start()
        inbox = self.inbox(handle)
        await bus.subscribe(inbox.subscription())
        try:
            async with inbox.retry_worker(), Relay(self.database, bus).worker(DEADLINE_SECONDS):
                yield
        finally:
            await bus.close()

    def inbox(self, handle: Handle = note) -> Inbox:
        return Inbox(self.database, Consumer(EFFECTS_GROUP, {ProbeChanged.type: each(ProbeChanged, handle)}))

    async def count(self, statement: str) -> int:
        async with self.database.reading() as session:
            return int(await session.scalar(text(statement)) or 0)

    async def until(self, statement: str, wanted: int) -> None:
        """Poll a count until it is `wanted`: there is no event to await for rows of other transactions."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while await self.count(statement) != wanted:
                await asyncio.sleep(0.02)

    async def until_effects(self, wanted: int) -> list[tuple[str, int]]:
        await self.until("SELECT count(*) FROM effect", wanted)
        return await effects(self.database)


@pytest.fixture(params=["inprocess", "amqp"])
def system(request: pytest.FixtureRequest, database: Database) -> System:
    if request.param == "inprocess":
        return System(database, lambda: InProcessBus(groups=GROUPS))
    url = request.getfixturevalue("bus_url")
    return System(database, lambda: AmqpBus(url, name="probe", groups=GROUPS))


async def test_event_takes_effect_once_and_is_marked_as_sent(system: System) -> None:
    async with system.running():
        await publish(system.database, 1, 2, 3)
        assert await system.until_effects(3) == [("thing/1", n) for n in (1, 2, 3)]
        await system.until("SELECT count(*) FROM outbox_event WHERE sent_at IS NULL", 0)
    assert await system.count("SELECT count(*) FROM outbox_event WHERE sent_at IS NOT NULL") == 3


async def test_rolled_back_transaction_publishes_nothing(system: System) -> None:
    with pytest.raises(ZeroDivisionError):
        async with system.database.transaction() as session:
            outbox.add(session, ProbeChanged(thing=1, number=1))
            raise ZeroDivisionError
    assert await system.count("SELECT count(*) FROM outbox_event WHERE sent_at IS NULL") == 0


async def test_event_committed_while_stopped_is_published_after_start(system: System) -> None:
    await publish(system.database, 7)
    async with system.running():
        assert await system.until_effects(1) == [("thing/1", 7)]


async def test_event_published_twice_takes_effect_once(system: System) -> None:
    """As after a crash between publishing and marking: the chunk is unsent again."""
    await publish(system.database, 1, 2)
    async with system.running():
        await system.until("SELECT count(*) FROM outbox_event WHERE sent_at IS NOT NULL", 2)
        await system.until_effects(2)
    async with system.database.transaction() as session:
        await session.execute(text("UPDATE outbox_chunk SET sent_at = NULL"))
    async with system.running():
        await publish(system.database, 3)
        await system.until("SELECT count(*) FROM outbox_event WHERE sent_at IS NOT NULL", 3)
        assert await system.until_effects(3) == [("thing/1", n) for n in (1, 2, 3)]


async def test_several_relays_preserve_the_order_of_each_subject(system: System) -> None:
    async with system.running(), system.running(), system.running():
        for start in range(0, 60, 3):
            for thing in range(4):
                await publish(system.database, start, start + 1, start + 2, thing=thing)
        done = await system.until_effects(240)
    if isinstance(system.make_bus(), InProcessBus):
        for thing in range(4):
            assert [number for subject, number in done if subject == f"thing/{thing}"] == list(range(60))
    assert sorted(done) == sorted((f"thing/{thing}", number) for thing in range(4) for number in range(60))


async def test_failing_handler_is_retried_without_affecting_other_messages(system: System) -> None:
    failures = 0

    async def fail_four_times(session: AsyncSession, event: ProbeChanged) -> None:
        nonlocal failures
        if event.number == 2 and failures < 4:
            failures += 1
            raise RuntimeError("not today")
        await note(session, event)

    async with system.running(fail_four_times):
        await publish(system.database, 1, 2, 3)
        done = await system.until_effects(3)
    assert sorted(done) == [("thing/1", n) for n in (1, 2, 3)]
    assert failures == 4


async def test_permanent_failure_is_dead_lettered_without_affecting_other_messages(system: System) -> None:
    async def refuse_two(session: AsyncSession, event: ProbeChanged) -> None:
        if event.number == 2:
            raise PermanentFailure("never")
        await note(session, event)

    async with system.running(refuse_two):
        await publish(system.database, 1, 2, 3)
        assert await system.until_effects(2) == [("thing/1", 1), ("thing/1", 3)]
        await system.until("SELECT count(*) FROM inbox WHERE status = 'dead' AND message IS NOT NULL", 1)


async def test_message_without_predecessor_is_parked_until_it_arrives(system: System) -> None:
    async def count_up(session: AsyncSession, event: ProbeChanged) -> None:
        reached = await session.scalar(text("SELECT coalesce(max(number), 0) FROM effect"))
        if event.number != (reached or 0) + 1:
            raise PredecessorMissing(f"{event.number} before {(reached or 0) + 1}")
        await note(session, event)

    async with system.running(count_up):
        await publish(system.database, 3)
        await publish(system.database, 2)
        await system.until("SELECT count(*) FROM inbox WHERE status = 'parked'", 2)
        await publish(system.database, 1)
        assert await system.until_effects(3) == [("thing/1", n) for n in (1, 2, 3)]


async def test_handler_runs_in_the_context_of_the_event(system: System) -> None:
    contexts: list[EventContext] = []

    async def remember(session: AsyncSession, event: ProbeChanged) -> None:
        contexts.append(current_event_context())
        await note(session, event)

    cause = EventContext(actor_id=7, actor_name="ada", client_ip="192.0.2.1", request_id="r-1", traceparent="00-a-b-01")
    async with system.running(remember):
        with event_context(cause):
            await publish(system.database, 1)
        await system.until_effects(1)
    assert contexts == [cause]


async def test_lost_queue_is_refilled_from_the_archive(database: Database, bus_url: str) -> None:
    def make_bus(*, archive: Archive | None = None) -> AmqpBus:
        return AmqpBus(bus_url, name="probe", groups=GROUPS, archive=archive)

    system = System(database, lambda: make_bus(archive=Archive(database)))
    async with system.running():
        await publish(database, 1)
        await system.until_effects(1)
    # Published and confirmed while the group is disconnected; then an operator deletes its queue with all messages.
    bus = make_bus()
    async with Relay(database, bus).worker(DEADLINE_SECONDS):
        await publish(database, 2, 3)
        await system.until("SELECT count(*) FROM outbox_event WHERE sent_at IS NOT NULL", 3)
    await bus.close()
    async with await aio_pika.connect(bus_url) as connection, connection.channel() as channel:
        await channel.queue_delete(EFFECTS_GROUP)
    async with system.running():
        assert sorted(await system.until_effects(3)) == [("thing/1", n) for n in (1, 2, 3)]


async def test_queue_deleted_under_its_consumer_is_recreated_and_refilled(database: Database, bus_url: str) -> None:
    system = System(database, lambda: AmqpBus(bus_url, name="probe", groups=GROUPS, archive=Archive(database)))
    async with system.running():
        await publish(database, 1)
        await system.until_effects(1)
        async with await aio_pika.connect(bus_url) as connection, connection.channel() as channel:
            await channel.queue_delete(EFFECTS_GROUP)
        for number in range(2, 30):
            await publish(database, number)
        done = await system.until_effects(29)
    assert sorted(done) == [("thing/1", n) for n in range(1, 30)]


async def test_group_of_a_later_release_receives_what_the_previous_one_published(
    database: Database, bus_url: str
) -> None:
    """Its consumer is upgraded first: its queue exists while its producer does not know the group yet."""
    previous = {EVERYTHING_GROUP: GROUPS[EVERYTHING_GROUP]}
    system = System(database, lambda: AmqpBus(bus_url, name="probe", groups=GROUPS, archive=Archive(database)))
    consumer = AmqpBus(bus_url, name="probe", groups=GROUPS)
    await consumer.start()
    await until_connected(consumer)
    await consumer.close()
    async with await aio_pika.connect(bus_url) as connection, connection.channel() as channel:
        await (await channel.get_queue("probe.replay.v1")).purge()  # the replay of what there was then
    producer = AmqpBus(bus_url, name="probe", groups=previous, archive=Archive(database))
    await producer.start()
    async with Relay(database, producer).worker(DEADLINE_SECONDS):
        await publish(database, 1, 2)
        await system.until("SELECT count(*) FROM outbox_event WHERE sent_at IS NOT NULL", 2)
    await producer.close()
    assert await effects(database) == []
    async with system.running():
        assert await system.until_effects(2) == [("thing/1", 1), ("thing/1", 2)]
