"""Messages that can't be handled, are duplicated and reordered, or crash their consumer."""

import asyncio
import json
import random
from pathlib import Path

import aio_pika
import asyncpg
import pytest
import uuid_utils

from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.messaging.bus.amqp.envelope import to_amqp, to_batch
from stockbuddy.chassis.messaging.chunks import event_text, join
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.postgres.migrations import migrate
from stockbuddy.chassis.testing.chunks import chunks_of
from stockbuddy.chassis.testing.probe import ProbeChanged
from stockbuddy.chassis.testing.rabbitmq import PrivateRabbitMQ
from stockbuddy.contracts.topology import CONSUMER_GROUPS, INTERNAL_EXCHANGE, dead_queue, internal_key, is_wanted
from stockbuddy.embedded.processes import Program
from stockbuddy.local_servers.postgres import LocalPostgres
from tests.faults.crashing_consumer import CRASHING_NUMBER
from tests.faults.deployment import Deployment
from tests.faults.supervisor import SupervisedProgram
from tests.faults.verification import Verifier

pytestmark = pytest.mark.timeout(900)

MESSAGE_COUNT = 1000
POISON_AT = 500
QUEUE = "catalog.stock.v1"
PROBE_MIGRATIONS = Path(__file__).parents[2] / "libs/chassis/tests/probe/migrations"
# The first version of a level, published again, has no effect on replicas with a later version.
_FIRST_LEVEL_EVENT = """
    SELECT event_id, headers, payload FROM stock.outbox_event
    WHERE routing_key = 'stock.level.changed' ORDER BY chunk_id, place LIMIT 1
"""
_DEAD = "SELECT count(*) FROM catalog.inbox WHERE status = 'dead' AND event_id = ANY($1::uuid[])"
_LOGGED = "SELECT count(*) FROM notifications.event_log WHERE event_id = ANY($1::uuid[])"
_ARCHIVE = "SELECT event_id::text, routing_key, headers::text, payload::text FROM stock.outbox_event"


async def test_poison_message_does_not_affect_the_other_999(shared_deployment: Deployment) -> None:
    verifier = shared_deployment.verifier
    async with shared_deployment.load("poison") as load:
        event_ids = await publish_with_one_invalid(shared_deployment.postgres.url)
        await verifier.wait_until(_DEAD, 1, event_ids[POISON_AT : POISON_AT + 1])
        await verifier.wait_until(_LOGGED, MESSAGE_COUNT, event_ids)
        assert await verifier.value(_DEAD, event_ids) == 1
        await load.wait_until_acknowledged(20)
    await verifier.verify("poison message among 1,000", load, dead=1)


async def publish_with_one_invalid(database_url: str) -> list[str]:
    """Add events to stock's outbox, with an invalid one in the middle. Returns their ids."""
    connection = await asyncpg.connect(database_url)
    try:
        event = await connection.fetchrow(_FIRST_LEVEL_EVENT)
        headers, payload = json.loads(event["headers"]), json.loads(event["payload"])
        event_ids = [str(uuid_utils.uuid7()) for _ in range(MESSAGE_COUNT)]
        events = []
        for number, event_id in enumerate(event_ids):
            body = {"product_id": "none"} if number == POISON_AT else payload
            text = event_text(json.dumps({**headers, "id": event_id}), json.dumps(body))
            events.append(outbox.OutboxEvent(0, "stock.level.changed", text))
        await connection.execute("SET search_path TO stock")
        await connection.execute(outbox.INSERT, *outbox.columns(events))
    finally:
        await connection.close()
    return event_ids


async def test_malformed_message_goes_to_the_dead_letter_queue(shared_deployment: Deployment) -> None:
    async with (
        shared_deployment.load("malformed") as load,
        await aio_pika.connect(shared_deployment.rabbitmq.url) as connection,
    ):
        channel = await connection.channel()
        exchange = await channel.get_exchange(INTERNAL_EXCHANGE)
        for queue in (QUEUE, "notifications.log.v1"):
            await exchange.publish(aio_pika.Message(b"\xff malformed"), internal_key("stock", queue))
            async with (await channel.get_queue(dead_queue(queue))).iterator(timeout=20) as dead_messages:
                dead = await anext(dead_messages)
                assert dead.body == b"\xff malformed"
                await dead.ack()
        await load.wait_until_acknowledged(20)
    await shared_deployment.verifier.verify("malformed message", load)


async def test_duplicated_and_reordered_events_take_effect_once(shared_deployment: Deployment) -> None:
    """Catalog receives nothing for a while, and then all events twice and shuffled."""
    proxy = shared_deployment.proxies["catalog"]
    async with shared_deployment.load("shuffled") as load:
        proxy.block_all()
        await load.wait_until_acknowledged(60)
    await shared_deployment.verifier.wait_until("SELECT count(*) FROM stock.outbox_chunk WHERE sent_at IS NULL", 0)
    await asyncio.to_thread(shared_deployment.rabbitmq.control, "purge_queue", QUEUE)
    await publish_shuffled(shared_deployment, times=2)
    proxy.cut()
    proxy.pass_all()
    await shared_deployment.verifier.verify("duplicated and shuffled events", load)


async def publish_shuffled(deployment: Deployment, *, times: int) -> None:
    connection = await asyncpg.connect(deployment.postgres.url)
    rows = await connection.fetch(_ARCHIVE)
    await connection.close()
    messages = [Message(row[0], row[1], json.loads(row[2]), row[3].encode()) for row in rows] * times
    random.Random(1).shuffle(messages)
    async with await aio_pika.connect(deployment.rabbitmq.url) as broker:
        exchange = await (await broker.channel()).get_exchange(INTERNAL_EXCHANGE)
        wanted = [message for message in messages if is_wanted(CONSUMER_GROUPS[QUEUE], message.type)]
        for chunk in join(chunks_of(wanted)):
            await exchange.publish(to_amqp(to_batch(chunk)), internal_key("stock", QUEUE))


@pytest.mark.slow
async def test_message_that_crashes_its_consumer_becomes_a_dead_letter(
    private_postgres: LocalPostgres, private_rabbitmq: PrivateRabbitMQ, tmp_path: Path
) -> None:
    await migrate(private_postgres.url, "probe", PROBE_MIGRATIONS)
    environment = {"DATABASE_URL": private_postgres.url, "BUS_URL": private_rabbitmq.url}
    consumer = SupervisedProgram(
        "crashing-consumer", Program("tests.faults.crashing_consumer", environment), tmp_path / "log"
    )
    verifier = Verifier(private_postgres.url)
    attempted = CRASHING_NUMBER * 2
    async with consumer.running():
        await publish_numbers(private_postgres.url, range(attempted))
        await verifier.wait_until("SELECT count(*) FROM probe.inbox WHERE status = 'dead'", 1)
        await verifier.wait_until("SELECT count(DISTINCT number) FROM probe.effect", attempted - 1)
    applied = await verifier.value("SELECT count(*) FROM probe.effect")
    print(
        f"\nmessage that crashes its consumer ({consumer.starts - 1} times): attempted {attempted},"
        f" acknowledged {attempted - 1}, applied {applied}, lost 0, duplicated {applied - attempted + 1}"
    )
    assert applied == attempted - 1


async def publish_numbers(database_url: str, numbers: range) -> None:
    rows = [outbox.to_outbox_event(ProbeChanged(thing=number % 7, number=number)) for number in numbers]
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("SET search_path TO probe")
        await connection.execute(outbox.INSERT, *outbox.columns(rows))
    finally:
        await connection.close()
