"""The relay: order of publication and shutdown."""

import asyncio
import json
from collections.abc import Sequence

from structlog.testing import capture_logs

from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.messaging.bus import Subscription
from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.messaging.relay import BATCH_SIZE, Relay
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.testing.probe import ProbeChanged

DEADLINE_SECONDS = 60


async def test_next_batch_contains_the_oldest_waiting_event(database: Database) -> None:
    """No shard is starved by the others."""
    numbers = range(outbox.SHARDS * BATCH_SIZE * 3)
    batches: list[list[int]] = []
    all_sent = asyncio.Event()

    async def receive(messages: Sequence[Message]) -> None:
        batches.append([json.loads(message.body)["number"] for message in messages])
        if sum(map(len, batches)) == len(numbers):
            all_sent.set()

    bus = InProcessBus(groups={"probe.listener.v1": ("#",)})
    await bus.subscribe(Subscription("probe.listener.v1", receive, database.ping, lanes=1, batch_size=BATCH_SIZE))
    async with database.raw() as connection:
        events = [outbox.to_outbox_event(ProbeChanged(thing=number % 50, number=number)) for number in numbers]
        await connection.executemany(outbox.INSERT, [outbox.columns([event]) for event in events])
    async with asyncio.timeout(DEADLINE_SECONDS), Relay(database, bus).worker(DEADLINE_SECONDS):
        await all_sent.wait()

    waiting = set(numbers)
    for batch in batches:
        assert batch[0] == min(waiting)
        waiting.difference_update(batch)


async def test_relay_stops_while_its_database_is_unavailable() -> None:
    connected: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

    async def keep_waiting(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await connected.put(writer)

    async with await asyncio.start_server(keep_waiting, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        database = Database(f"postgresql://nobody@127.0.0.1:{port}/shop", "probe")
        worker = Relay(database, InProcessBus()).worker(DEADLINE_SECONDS)
        with capture_logs() as logs:
            worker.start()
            async with asyncio.timeout(DEADLINE_SECONDS):
                writer = await connected.get()
                stopping = asyncio.create_task(worker.stop())
                writer.close()
                await stopping
        await database.close()

    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("worker.dependency_unavailable", "warning")]
