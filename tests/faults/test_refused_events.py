"""An event larger than the broker accepts: RabbitMQ closes the channel without naming the message."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.messaging.bus.amqp import AmqpBus
from stockbuddy.chassis.messaging.relay import BATCH_SIZE, Relay
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.testing.plugin import NewDatabase
from stockbuddy.chassis.testing.probe import GROUPS, ProbeChanged
from stockbuddy.chassis.testing.rabbitmq import PrivateRabbitMQ
from stockbuddy.chassis.testing.templates import ServiceMigrations

PROBE_MIGRATIONS = Path(__file__).parents[2] / "libs/chassis/tests/probe/migrations"
MAX_MESSAGE_BYTES = 100_000
DEADLINE_SECONDS = 60


class HugeChanged(ProbeChanged):
    text: str


@pytest.mark.slow
async def test_too_large_event_is_set_aside_and_the_others_are_published(
    private_rabbitmq: PrivateRabbitMQ, new_database: NewDatabase
) -> None:
    private_rabbitmq.control("eval", f"application:set_env(rabbit, max_message_size, {MAX_MESSAGE_BYTES}).")
    database = outbox.open_database(await new_database(ServiceMigrations("probe", PROBE_MIGRATIONS)), "probe")
    bus = AmqpBus(private_rabbitmq.url, name="probe", groups=GROUPS)
    await bus.start()
    sizes = [MAX_MESSAGE_BYTES if number in (3, 77, BATCH_SIZE + 5) else 10 for number in range(BATCH_SIZE * 2)]
    async with database.transaction() as session:
        events = (HugeChanged(thing=number, number=number, text="x" * size) for number, size in enumerate(sizes))
        outbox.add(session, *events)
    async with Relay(database, bus).worker(DEADLINE_SECONDS), asyncio.timeout(DEADLINE_SECONDS):
        while await _count(database, "outbox_event WHERE sent_at IS NULL"):
            await asyncio.sleep(0.1)
    assert await _count(database, "outbox_dead") == 3
    assert await _count(database, "outbox_event WHERE sent_at IS NOT NULL") == len(sizes)
    async with database.reading() as session:
        errors = set(await session.scalars(text("SELECT error FROM outbox_dead")))
    assert all("max size" in error for error in errors), errors
    await bus.close()
    await database.close()


async def _count(database: Database, table: str) -> int:
    async with database.reading() as session:
        return int(await session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)
