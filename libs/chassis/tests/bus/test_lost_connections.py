"""A connection that breaks under the bus is made anew, whatever was on its way."""

import asyncio
from collections.abc import Sequence

from stockbuddy.chassis.bus import BusAway, Message, Subscription
from stockbuddy.chassis.bus.amqp import AmqpBus
from stockbuddy.chassis.testing.probe import EFFECTS_GROUP, GROUPS, ProbeChanged
from stockbuddy.chassis.testing.proxy import Proxy

DEADLINE_SECONDS = 20


def message(number: int) -> Message:
    event_id = f"00000000-0000-0000-0000-{number:012}"
    return Message(event_id, ProbeChanged.type, {"id": event_id, "type": ProbeChanged.type}, b"{}")


async def published(bus: AmqpBus, number: int) -> None:
    while True:
        try:
            return await bus.publish([message(number)])
        except BusAway:
            await asyncio.sleep(0.05)


async def test_publishing_and_consuming_go_on_after_connections_were_cut(bus_url: str) -> None:
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
