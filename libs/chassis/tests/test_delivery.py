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
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.messaging.inbox import Inbox
from stockbuddy.chassis.messaging.handlers import Consumer, PermanentFailure, PredecessorMissing, each
from stockbuddy.chassis.messaging.event_context import EventContext, current_event_context, event_context
from stockbuddy.chassis.messaging.relay import Relay
from stockbuddy.chassis.testing.probe import EFFECTS_GROUP, GROUPS, ProbeChanged, effects, note

DEADLINE_SECONDS = 20
Handle = Callable[[AsyncSession, ProbeChanged], Awaitable[None]]


async def say(database: Database, *numbers: int, thing: int = 1) -> None:
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
        inbox = Inbox(self.database, Consumer(EFFECTS_GROUP, {ProbeChanged.type: each(ProbeChanged, handle)}))
        await bus.subscribe(inbox.subscription())
        relay = Relay(self.database, bus)
        tasks = [asyncio.create_task(relay.run()), asyncio.create_task(inbox.run_retries())]
        try:
            yield
        finally:
            relay.stop()
            await tasks[0]
            tasks[1].cancel()
            await bus.close()

    async def count(self, statement: str) -> int:
        async with self.database.reading() as session:
            return int(await session.scalar(text(statement)) or 0)

    async def until(self, statement: str, wanted: int) -> None:
        """Poll a count until it is `wanted`; there is no door to wait at for another transaction's row."""
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


async def test_an_event_has_its_effect_once_and_leaves_the_outbox_for_the_archive(system: System) -> None:
    async with system.running():
        await say(system.database, 1, 2, 3)
        assert await system.until_effects(3) == [("thing/1", n) for n in (1, 2, 3)]
        await system.until("SELECT count(*) FROM outbox", 0)
    assert await system.count("SELECT count(*) FROM outbox_archive") == 3


async def test_a_transaction_that_rolls_back_says_nothing(system: System) -> None:
    with pytest.raises(ZeroDivisionError):
        async with system.database.transaction() as session:
            outbox.add(session, ProbeChanged(thing=1, number=1))
            raise ZeroDivisionError
    assert await system.count("SELECT count(*) FROM outbox") == 0


async def test_an_event_committed_while_nothing_ran_arrives_after_the_start(system: System) -> None:
    await say(system.database, 7)
    async with system.running():
        assert await system.until_effects(1) == [("thing/1", 7)]


async def test_an_event_published_twice_has_its_effect_once(system: System) -> None:
    """As after a crash between publishing and deleting: the rows are in the outbox again."""
    await say(system.database, 1, 2)
    async with system.running():
        await system.until("SELECT count(*) FROM outbox_archive", 2)
        await system.until_effects(2)
    async with system.database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO outbox (shard, event_id, routing_key, headers, payload, partition_key)"
                " SELECT shard, event_id, routing_key, headers, payload, partition_key FROM outbox_archive"
            )
        )
    async with system.running():
        await say(system.database, 3)
        await system.until("SELECT count(*) FROM outbox_archive", 5)
        assert await system.until_effects(3) == [("thing/1", n) for n in (1, 2, 3)]


async def test_many_relays_keep_the_order_of_each_subject(system: System) -> None:
    async with system.running(), system.running(), system.running():
        for start in range(0, 60, 3):
            for thing in range(4):
                await say(system.database, start, start + 1, start + 2, thing=thing)
        done = await system.until_effects(240)
    if isinstance(system.make_bus(), InProcessBus):
        for thing in range(4):
            assert [number for subject, number in done if subject == f"thing/{thing}"] == list(range(60))
    assert sorted(done) == sorted((f"thing/{thing}", number) for thing in range(4) for number in range(60))


async def test_a_handler_that_fails_now_is_tried_again_and_harms_no_neighbour(system: System) -> None:
    failures = 0

    async def fail_four_times(session: AsyncSession, event: ProbeChanged) -> None:
        nonlocal failures
        if event.number == 2 and failures < 4:
            failures += 1
            raise RuntimeError("not today")
        await note(session, event)

    async with system.running(fail_four_times):
        await say(system.database, 1, 2, 3)
        done = await system.until_effects(3)
    assert sorted(done) == [("thing/1", n) for n in (1, 2, 3)]
    assert failures == 4


async def test_a_hopeless_message_is_kept_as_dead_and_harms_no_neighbour(system: System) -> None:
    async def refuse_two(session: AsyncSession, event: ProbeChanged) -> None:
        if event.number == 2:
            raise PermanentFailure("never")
        await note(session, event)

    async with system.running(refuse_two):
        await say(system.database, 1, 2, 3)
        assert await system.until_effects(2) == [("thing/1", 1), ("thing/1", 3)]
        await system.until("SELECT count(*) FROM inbox WHERE status = 'dead' AND message IS NOT NULL", 1)


async def test_a_step_waits_for_its_predecessor(system: System) -> None:
    async def count_up(session: AsyncSession, event: ProbeChanged) -> None:
        reached = await session.scalar(text("SELECT coalesce(max(number), 0) FROM effect"))
        if event.number != (reached or 0) + 1:
            raise PredecessorMissing(f"{event.number} before {(reached or 0) + 1}")
        await note(session, event)

    async with system.running(count_up):
        await say(system.database, 3)
        await say(system.database, 2)
        await system.until("SELECT count(*) FROM inbox WHERE status = 'parked'", 2)
        await say(system.database, 1)
        assert await system.until_effects(3) == [("thing/1", n) for n in (1, 2, 3)]


async def test_an_effect_is_caused_by_whoever_caused_the_event(system: System) -> None:
    origins: list[EventContext] = []

    async def remember(session: AsyncSession, event: ProbeChanged) -> None:
        origins.append(current_event_context())
        await note(session, event)

    cause = EventContext(actor_id=7, actor_name="ada", client_ip="192.0.2.1", request_id="r-1", traceparent="00-a-b-01")
    async with system.running(remember):
        with event_context(cause):
            await say(system.database, 1)
        await system.until_effects(1)
    assert origins == [cause]


async def test_a_queue_that_is_lost_with_its_messages_is_filled_again_from_the_archive(
    database: Database, bus_url: str
) -> None:
    def make_bus(*, archive: Archive | None = None) -> AmqpBus:
        return AmqpBus(bus_url, name="probe", groups=GROUPS, archive=archive)

    system = System(database, lambda: make_bus(archive=Archive(database)))
    async with system.running():
        await say(database, 1)
        await system.until_effects(1)
    # Said and confirmed while the group is away; then an operator deletes its queue, messages and all.
    bus = make_bus()
    relay = Relay(database, bus)
    relaying = asyncio.create_task(relay.run())
    await say(database, 2, 3)
    await system.until("SELECT count(*) FROM outbox_archive", 3)
    relay.stop()
    await relaying
    await bus.close()
    async with await aio_pika.connect(bus_url) as connection, connection.channel() as channel:
        await channel.queue_delete(EFFECTS_GROUP)
    async with system.running():
        assert sorted(await system.until_effects(3)) == [("thing/1", n) for n in (1, 2, 3)]


async def test_a_queue_deleted_under_its_consumer_comes_back_with_what_was_said_meanwhile(
    database: Database, bus_url: str
) -> None:
    system = System(database, lambda: AmqpBus(bus_url, name="probe", groups=GROUPS, archive=Archive(database)))
    async with system.running():
        await say(database, 1)
        await system.until_effects(1)
        async with await aio_pika.connect(bus_url) as connection, connection.channel() as channel:
            await channel.queue_delete(EFFECTS_GROUP)
        for number in range(2, 30):
            await say(database, number)
        done = await system.until_effects(29)
    assert sorted(done) == [("thing/1", n) for n in range(1, 30)]
