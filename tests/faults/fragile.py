"""A process that dies of one message: the chassis' relay and inbox on a real broker, with a handler that exits."""

import asyncio
import os

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging.bus.amqp import AmqpBus
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.messaging.inbox import Inbox
from stockbuddy.chassis.messaging.handlers import Consumer, each
from stockbuddy.chassis.messaging.relay import Relay
from stockbuddy.chassis.testing.probe import EFFECTS_GROUP, GROUPS, ProbeChanged, note

DEADLY = 50
"""The number that kills."""


async def note_or_die(session: AsyncSession, event: ProbeChanged) -> None:
    if event.number == DEADLY:
        os._exit(1)
    await note(session, event)


async def main() -> None:
    database = Database(os.environ["DATABASE_URL"], "probe", pool_size=5)
    bus = AmqpBus(os.environ["BUS_URL"], name="probe", groups=GROUPS)
    inbox = Inbox(database, Consumer(EFFECTS_GROUP, {ProbeChanged.type: each(ProbeChanged, note_or_die)}))
    await bus.start()
    await bus.subscribe(inbox.subscription())
    await asyncio.gather(Relay(database, bus).run(), inbox.run_retries())


if __name__ == "__main__":
    asyncio.run(main())
