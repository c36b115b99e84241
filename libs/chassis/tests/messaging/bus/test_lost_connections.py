"""The AMQP bus reconnects after a lost connection without losing messages."""

import asyncio
from collections.abc import Sequence

import pytest

from stockbuddy.chassis.messaging.bus import BusUnavailable, Subscription
from stockbuddy.chassis.messaging.bus.amqp import AmqpBus
from stockbuddy.chassis.messaging.bus.amqp.connection import Connection
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.testing.chunks import chunks_of
from stockbuddy.chassis.testing.probe import EFFECTS_GROUP, GROUPS, ProbeChanged
from stockbuddy.chassis.testing.proxy import Proxy

DEADLINE_SECONDS = 60


def message(number: int) -> Message:
    event_id = f"00000000-0000-0000-0000-{number:012}"
    headers = {"id": event_id, "type": ProbeChanged.type, "source": "/services/probe"}
    return Message(event_id, ProbeChanged.type, headers, b"{}")


async def published(bus: AmqpBus, number: int) -> None:
    while True:
        try:
            return await bus.publish(chunks_of([message(number)]))
        except BusUnavailable:
            await asyncio.sleep(0.05)


async def test_publishing_and_consuming_continue_after_connections_are_cut(bus_url: str) -> None:
    received: asyncio.Queue[str] = asyncio.Queue()

    async def receive(messages: Sequence[Message]) -> None:
        for heard in messages:
            received.put_nowait(heard.id)

    async def able() -> None:
        return

    async with Proxy.to(bus_url).running() as proxy:
        bus = AmqpBus(proxy.through(bus_url), name="probe", groups=GROUPS)
        await bus.start()
        await bus.subscribe(Subscription(EFFECTS_GROUP, receive, able))
        try:
            for number in range(1, 5):
                async with asyncio.timeout(DEADLINE_SECONDS):
                    await published(bus, number)
                    while await received.get() != message(number).id:
                        pass
                proxy.cut()
        finally:
            await bus.close()


async def test_broker_that_closes_the_connection_at_once_is_unavailable() -> None:
    """As one does that is starting behind a load balancer; whatever the client library makes of it."""

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        url = f"amqp://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        connection = Connection(url, service="probe", purpose="publishes", groups=GROUPS)
        for _ in range(50):
            with pytest.raises(BusUnavailable):
                await connection.ensure()
