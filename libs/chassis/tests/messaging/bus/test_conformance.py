"""The bus interface: every test runs on both implementations."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence

import aio_pika
import pytest
import uuid_utils

from stockbuddy.chassis.messaging.bus import Bus, ConsumerUnavailable, Subscription
from stockbuddy.chassis.messaging.bus.amqp import AmqpBus
from stockbuddy.chassis.messaging.bus.amqp.envelope import to_amqp, to_batch
from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.chassis.messaging.chunks import events_of, join
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.testing.buses import until_connected
from stockbuddy.chassis.testing.chunks import chunks_of
from stockbuddy.chassis.testing.probe import EFFECTS_GROUP, EVERYTHING_GROUP, GROUPS
from stockbuddy.contracts.topology import INTERNAL_EXCHANGE, internal_key

DEADLINE_SECONDS = 60


@pytest.fixture(params=["inprocess", "amqp"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    if request.param == "inprocess":
        bus: Bus = InProcessBus(groups=GROUPS)
    else:
        bus = AmqpBus(request.getfixturevalue("bus_url"), name="probe", groups=GROUPS)
    await bus.start()
    yield bus
    await bus.close()


class Recorder:
    """A receiver that records its messages and is unavailable the first `unavailable_times` times."""

    def __init__(self, *, unavailable_times: int = 0) -> None:
        self.received: list[Message] = []
        self._unavailable_times = unavailable_times
        self._changed = asyncio.Event()

    async def receive(self, messages: Sequence[Message]) -> None:
        if self._unavailable_times:
            self._unavailable_times -= 1
            raise ConsumerUnavailable("not now")
        await asyncio.sleep(0)  # lets another lane overtake
        self.received.extend(messages)
        self._changed.set()

    async def has(self, count: int) -> list[Message]:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while len(self.received) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.received

    def subscription(self, group: str) -> Subscription:
        return Subscription(group, self.receive, wait_until_ready=_at_once, lanes=3, batch_size=7)


async def _at_once() -> None:
    return None


def message(number: int, *, key: str = "thing/1", event_type: str = "probe.thing.changed") -> Message:
    event_id = str(uuid_utils.uuid7())
    headers = {"id": event_id, "type": event_type, "subject": key, "partitionkey": key, "source": "/services/probe"}
    return Message(event_id, event_type, headers, json.dumps({"number": number}).encode())


async def publish_until_taken(bus: Bus, messages: Sequence[Message]) -> None:
    """Publish until confirmed, as the relay does."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            try:
                return await bus.publish(chunks_of(messages))
            except Exception:
                await asyncio.sleep(0.05)


def numbers(messages: Sequence[Message], key: str) -> list[int]:
    return [json.loads(m.body)["number"] for m in messages if m.partition_key == key]


async def test_message_reaches_exactly_the_groups_subscribed_to_its_type(bus: Bus) -> None:
    effects, everything = Recorder(), Recorder()
    await bus.subscribe(effects.subscription(EFFECTS_GROUP))
    await bus.subscribe(everything.subscription(EVERYTHING_GROUP))
    wanted, other = message(1), message(2, event_type="probe.other.happened")
    await bus.publish(chunks_of([other, wanted]))
    assert {m.id for m in await everything.has(2)} == {other.id, wanted.id}
    assert [m.id for m in await effects.has(1)] == [wanted.id]


async def test_message_arrives_unchanged(bus: Bus) -> None:
    recorder = Recorder()
    await bus.subscribe(recorder.subscription(EFFECTS_GROUP))
    sent = message(1)
    await bus.publish(chunks_of([sent]))
    [arrived] = await recorder.has(1)
    assert (arrived.id, arrived.type, arrived.body) == (sent.id, sent.type, sent.body)
    assert arrived.headers.items() >= sent.headers.items()


async def test_order_is_preserved_per_partition_key(bus: Bus) -> None:
    recorder = Recorder()
    await bus.subscribe(recorder.subscription(EFFECTS_GROUP))
    keys = [f"thing/{number}" for number in range(5)]
    for start in range(0, 100, 20):
        await bus.publish(chunks_of([message(n, key=key) for n in range(start, start + 20) for key in keys]))
    received = await recorder.has(500)
    for key in keys:
        assert numbers(received, key) == list(range(100))


async def test_messages_beyond_the_batch_size_arrive(bus: Bus) -> None:
    """All of one key, so that they wait in one lane while the receiver is at work."""
    recorder = Recorder()
    await bus.subscribe(recorder.subscription(EFFECTS_GROUP))
    await bus.publish(chunks_of([message(number) for number in range(200)]))
    assert numbers(await recorder.has(200), "thing/1") == list(range(200))


async def test_unavailable_consumer_receives_its_messages_later(bus: Bus) -> None:
    recorder = Recorder(unavailable_times=2)
    await bus.subscribe(recorder.subscription(EFFECTS_GROUP))
    sent = [message(n) for n in range(10)]
    await publish_until_taken(bus, sent)
    assert {m.id for m in await recorder.has(10)} == {m.id for m in sent}


async def test_message_without_subscriber_does_not_block_the_publisher(bus: Bus) -> None:
    await bus.publish(chunks_of([message(1, event_type="other.thing.unsubscribed")]))


async def test_bus_reports_readiness(bus: Bus) -> None:
    await bus.subscribe(Recorder().subscription(EFFECTS_GROUP))
    await until_connected(bus)


async def test_in_process_messages_wait_for_an_expected_group_to_subscribe() -> None:
    bus = InProcessBus(expected_services=frozenset({"probe"}), groups=GROUPS)
    recorder = Recorder()
    await bus.subscribe(Recorder().subscription(EVERYTHING_GROUP))
    publishing = asyncio.create_task(bus.publish(chunks_of([message(1)])))
    await asyncio.sleep(0)
    assert not publishing.done()
    await bus.subscribe(recorder.subscription(EFFECTS_GROUP))
    await publishing
    assert len(recorder.received) == 1


GOOD = {"cloudEvents_id": "0193a8c0-0000-7000-8000-000000000001", "cloudEvents_type": "probe.thing.changed"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {**GOOD, "cloudEvents_id": "not-a-uuid"},
        {**GOOD, "cloudEvents_id": "0193a8c0000070008000000000000001"},
        {**GOOD, "cloudEvents_subject": "thing/\0"},
        {**GOOD, "cloudEvents_subject": "x" * 5000},
        {**GOOD, "cloudEvents_type": "auth.user.role_changed"},
    ],
)
async def test_unreadable_message_goes_to_the_dead_letter_queue_and_the_next_is_received(
    bus_url: str, headers: dict[str, str]
) -> None:
    bus = AmqpBus(bus_url, name="probe", groups=GROUPS)
    recorder = Recorder()
    await bus.subscribe(recorder.subscription(EFFECTS_GROUP))
    await bus.publish(chunks_of([message(1)]))
    await recorder.has(1)
    async with await aio_pika.connect(bus_url) as connection, connection.channel() as channel:
        exchange = await channel.get_exchange(INTERNAL_EXCHANGE)
        key = internal_key("probe", EFFECTS_GROUP)
        await exchange.publish(aio_pika.Message(b"garbage", headers=dict(headers)), key)
        await bus.publish(chunks_of([message(2)]))
        await recorder.has(2)
        dead = await channel.get_queue(f"{EFFECTS_GROUP}.dead")
        async with asyncio.timeout(DEADLINE_SECONDS):
            while (buried := await dead.get(fail=False)) is None:
                await asyncio.sleep(0.05)
        assert buried.body == b"garbage"
    assert numbers(recorder.received, "thing/1") == [1, 2]
    await bus.close()


async def test_unusable_event_of_a_chunk_goes_to_the_dead_letter_queue_alone(bus_url: str) -> None:
    """The others are received, and the chunk is acknowledged once."""
    bus = AmqpBus(bus_url, name="probe", groups=GROUPS)
    recorder = Recorder()
    await bus.subscribe(recorder.subscription(EFFECTS_GROUP))
    await bus.publish(chunks_of([message(1)]))
    await recorder.has(1)
    foreign = message(2, event_type="auth.user.registered")
    [chunk] = join(chunks_of([message(3), foreign, message(4)]))
    async with await aio_pika.connect(bus_url) as connection, connection.channel() as channel:
        exchange = await channel.get_exchange(INTERNAL_EXCHANGE)
        await exchange.publish(to_amqp(to_batch(chunk)), internal_key("probe", EFFECTS_GROUP))
        assert numbers(await recorder.has(3), "thing/1") == [1, 3, 4]
        async with asyncio.timeout(DEADLINE_SECONDS):
            dead = await channel.get_queue(f"{EFFECTS_GROUP}.dead")
            while (buried := await dead.get(no_ack=True, fail=False)) is None:
                await asyncio.sleep(0.05)
            assert buried.body == b"[" + chunk.body.encode()[1:-1].split(b",\n")[1] + b"]"
            # An operator who moves it back publishes it to the queue by its name: it is accepted.
            await channel.default_exchange.publish(
                aio_pika.Message(buried.body, content_type=buried.content_type), EFFECTS_GROUP
            )
            assert [m.type for m in await recorder.has(4)][-1] == "auth.user.registered"
    await bus.close()


async def test_queue_receives_only_the_events_that_it_subscribes_to(bus_url: str) -> None:
    """Also of a chunk that contains others: what a queue contains, its service may read."""
    bus = AmqpBus(bus_url, name="probe", groups=GROUPS)
    await bus.start()
    async with await aio_pika.connect(bus_url) as connection, connection.channel() as channel:
        await until_connected(bus)
        sent = [message(1), message(2, event_type="probe.other.happened"), message(3)]
        await bus.publish(list(join(chunks_of(sent))))
        queue = await channel.get_queue(EFFECTS_GROUP)
        received = await queue.get(no_ack=True, timeout=DEADLINE_SECONDS)
        assert [json.loads(event)["data"]["number"] for event in events_of(received.body.decode())] == [1, 3]
        assert await queue.get(no_ack=True, fail=False) is None
    await bus.close()
