"""A relay whose database goes away while it is being stopped ends, and leaves what is unsent where it is safe."""

import asyncio

from structlog.testing import capture_logs

from stockbuddy.chassis.bus.inprocess import InProcessBus
from stockbuddy.chassis.database import Database
from stockbuddy.chassis.relay import Relay

PATIENCE_SECONDS = 30


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
