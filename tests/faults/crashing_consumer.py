"""A program that crashes on one message: the chassis' relay and inbox with a real broker, and a handler that exits."""

import asyncio
import os

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging.bus.amqp import AmqpBus
from stockbuddy.chassis.messaging.handlers import Consumer, each
from stockbuddy.chassis.messaging.inbox import Inbox
from stockbuddy.chassis.messaging.outbox import open_database
from stockbuddy.chassis.messaging.relay import Relay
from stockbuddy.chassis.testing.probe import EFFECTS_GROUP, GROUPS, ProbeChanged, note

CRASHING_NUMBER = 50


async def note_or_crash(session: AsyncSession, event: ProbeChanged) -> None:
    if event.number == CRASHING_NUMBER:
        os._exit(1)
    await note(session, event)


async def main() -> None:
    database = open_database(os.environ["DATABASE_URL"], "probe", pool_size=5)
    bus = AmqpBus(os.environ["BUS_URL"], name="probe", groups=GROUPS)
    inbox = Inbox(database, Consumer(EFFECTS_GROUP, {ProbeChanged.type: each(ProbeChanged, note_or_crash)}))
    await bus.start()
    await bus.subscribe(inbox.subscription())
    async with Relay(database, bus).worker(shutdown_seconds=0), inbox.retry_worker():
        await asyncio.Event().wait()  # until the process is killed


if __name__ == "__main__":
    asyncio.run(main())
