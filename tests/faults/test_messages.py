"""Messages that nobody can handle, that come twice and in any order, that kill whoever touches them."""

import asyncio
import json
import random
from pathlib import Path

import aio_pika
import asyncpg
import pytest
import uuid_utils

from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.messaging.bus import Message
from stockbuddy.chassis.messaging.bus.amqp.envelope import to_amqp
from stockbuddy.local_servers.postgres import LocalPostgres
from stockbuddy.chassis.postgres.migrations import migrate
from stockbuddy.chassis.testing.probe import ProbeChanged
from stockbuddy.chassis.testing.rabbitmq import PrivateRabbitMQ
from stockbuddy.contracts.topology import EVENTS_EXCHANGE, dead_queue
from stockbuddy.embedded.processes import Program
from tests.faults.fragile import DEADLY
from tests.faults.reckoning import Books
from tests.faults.shop import Shop
from tests.faults.supervisor import Supervised

pytestmark = pytest.mark.timeout(900)

MESSAGES = 1000
POISON_AT = 500
QUEUE = "catalog.stock.v1"
PROBE_MIGRATIONS = Path(__file__).parents[2] / "libs/chassis/tests/probe/migrations"
# Said again with its first version, a level changes nothing for whoever knows a later one.
_SAID_FIRST = """
    SELECT event_id, headers, payload FROM stock.outbox_archive
    WHERE routing_key = 'stock.level.changed' ORDER BY archived_at LIMIT 1
"""
_STATUS = "SELECT count(*) FROM catalog.inbox WHERE status = $1 AND event_id = ANY($2::uuid[])"
_ARCHIVE = "SELECT event_id::text, routing_key, headers::text, payload::text FROM stock.outbox_archive"


async def test_a_poison_message_harms_none_of_its_999_neighbours(shared_shop: Shop) -> None:
    books = shared_shop.books
    async with shared_shop.load("poison") as load:
        event_ids = await say_a_thousand(shared_shop.postgres.url)
        await books.until(_STATUS, MESSAGES - 1, "done", event_ids)
        assert await books.value(_STATUS, "dead", event_ids[POISON_AT : POISON_AT + 1]) == 1
        await load.until_acknowledged(20)
    await books.reckon("poison message among 1,000", load, dead=1)


async def say_a_thousand(database_url: str) -> list[str]:
    """Through the stock service's outbox; their ids. The one in the middle can't be read."""
    connection = await asyncpg.connect(database_url)
    try:
        said = await connection.fetchrow(_SAID_FIRST)
        headers, payload = json.loads(said["headers"]), json.loads(said["payload"])
        rows = []
        for number in range(MESSAGES):
            event_id = str(uuid_utils.uuid7())
            body = {"product_id": "none"} if number == POISON_AT else payload
            attributes = json.dumps({**headers, "id": event_id})
            rows.append(
                outbox.OutboxRow(0, event_id, "stock.level.changed", attributes, json.dumps(body), headers["subject"])
            )
        await connection.execute("SET search_path TO stock")
        await connection.execute(outbox.INSERT, *outbox.columns(rows))
    finally:
        await connection.close()
    return [row.event_id for row in rows]


async def test_what_is_no_event_goes_to_the_dead_queue(shared_shop: Shop) -> None:
    async with shared_shop.load("rubbish") as load, await aio_pika.connect(shared_shop.rabbitmq.url) as connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange(EVENTS_EXCHANGE)
        await exchange.publish(aio_pika.Message(b"\xff rubbish"), "stock.level.changed")
        for queue in (QUEUE, "notifications.log.v1"):
            async with (await channel.get_queue(dead_queue(queue))).iterator(timeout=20) as dead_messages:
                dead = await anext(dead_messages)
                assert dead.body == b"\xff rubbish"
                await dead.ack()
        await load.until_acknowledged(20)
    await shared_shop.books.reckon("rubbish among the messages", load)


async def test_events_come_twice_and_in_any_order(shared_shop: Shop) -> None:
    """The catalogue misses everything for a while, and is then told it all, twice, shuffled."""
    proxy = shared_shop.proxies["catalog"]
    async with shared_shop.load("shuffled") as load:
        proxy.swallow_all()
        await load.until_acknowledged(60)
    await shared_shop.books.until("SELECT count(*) FROM stock.outbox", 0)
    await asyncio.to_thread(shared_shop.rabbitmq.control, "purge_queue", QUEUE)
    await publish_shuffled(shared_shop, times=2)
    proxy.cut()
    proxy.pass_all()
    await shared_shop.books.reckon("duplicated and shuffled events", load)


async def publish_shuffled(shop: Shop, *, times: int) -> None:
    connection = await asyncpg.connect(shop.postgres.url)
    rows = await connection.fetch(_ARCHIVE)
    await connection.close()
    messages = [Message(row[0], row[1], json.loads(row[2]), row[3].encode()) for row in rows] * times
    random.Random(1).shuffle(messages)
    async with await aio_pika.connect(shop.rabbitmq.url) as broker:
        exchange = await (await broker.channel()).get_exchange(EVENTS_EXCHANGE)
        await asyncio.gather(*(exchange.publish(to_amqp(message), message.type) for message in messages))


@pytest.mark.slow
async def test_a_message_kills_its_process_and_only_itself(
    private_postgres: LocalPostgres, private_rabbitmq: PrivateRabbitMQ, tmp_path: Path
) -> None:
    await migrate(private_postgres.url, "probe", PROBE_MIGRATIONS)
    environment = {"DATABASE_URL": private_postgres.url, "BUS_URL": private_rabbitmq.url}
    fragile = Supervised("fragile", Program("tests.faults.fragile", environment), tmp_path / "log")
    books = Books(private_postgres.url)
    attempted = DEADLY * 2
    async with fragile.running():
        await say_numbers(private_postgres.url, range(attempted))
        await books.until("SELECT count(*) FROM probe.inbox WHERE status = 'dead'", 1)
        await books.until("SELECT count(DISTINCT number) FROM probe.effect", attempted - 1)
    applied = await books.value("SELECT count(*) FROM probe.effect")
    print(
        f"\nmessage that kills its process ({fragile.starts - 1} times): attempted {attempted},"
        f" acknowledged {attempted - 1}, applied {applied}, lost 0, duplicated {applied - attempted + 1}"
    )
    assert applied == attempted - 1


async def say_numbers(database_url: str, numbers: range) -> None:
    rows = [outbox.row(ProbeChanged(thing=number % 7, number=number)) for number in numbers]
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("SET search_path TO probe")
        await connection.execute(outbox.INSERT, *outbox.columns(rows))
    finally:
        await connection.close()
