"""What a relay sends first, and how it ends."""

import asyncio
import json
from collections.abc import Sequence

from structlog.testing import capture_logs

from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.messaging.bus import Message, Subscription
from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.messaging.relay import BATCH, Relay
from stockbuddy.chassis.testing.probe import ProbeChanged

PATIENCE_SECONDS = 30


async def test_the_event_that_waits_longest_is_in_the_next_batch(database: Database) -> None:
    """Each shard has its turn, however much there is in the others."""
    numbers = range(outbox.SHARDS * BATCH * 3)
    batches: list[list[int]] = []
    all_sent = asyncio.Event()

    async def receive(messages: Sequence[Message]) -> None:
        batches.append([json.loads(message.body)["number"] for message in messages])
        if sum(map(len, batches)) == len(numbers):
            all_sent.set()

    bus = InProcessBus(groups={"probe.listener.v1": ("#",)})
    await bus.subscribe(Subscription("probe.listener.v1", receive, database.ping, lanes=1, batch_size=BATCH))
    async with database.raw() as connection:
        rows = [outbox.row(ProbeChanged(thing=number % 50, number=number)) for number in numbers]
        await connection.execute(outbox.INSERT, *outbox.columns(rows))
    relay = Relay(database, bus)
    running = asyncio.create_task(relay.run())
    async with asyncio.timeout(PATIENCE_SECONDS):
        await all_sent.wait()
        relay.stop()
        await running

    waiting = set(numbers)
    for batch in batches:
        assert batch[0] == min(waiting)
        waiting.difference_update(batch)


async def test_a_relay_ends_although_its_database_goes_away_under_it() -> None:
    connected: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

    async def keep_waiting(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await connected.put(writer)

    async with await asyncio.start_server(keep_waiting, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        database = Database(f"postgresql://nobody@127.0.0.1:{port}/shop", "probe")
        relay = Relay(database, InProcessBus())
        with capture_logs() as logs:
            running = asyncio.create_task(relay.run())
            async with asyncio.timeout(PATIENCE_SECONDS):
                writer = await connected.get()
                relay.stop()
                writer.close()
                await running
        await database.close()

    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("relay.stopped_with_events_unsent", "warning")]
