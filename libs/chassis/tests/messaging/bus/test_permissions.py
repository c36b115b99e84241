"""Permissions of each service's broker user, tested on a real broker."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from urllib.parse import urlsplit

import aio_pika
import pytest
import uuid_utils
from aiormq.exceptions import ChannelAccessRefused
from sqlalchemy import text

from stockbuddy.chassis.messaging.archive import Archive
from stockbuddy.chassis.messaging.bus import Subscription
from stockbuddy.chassis.messaging.bus.amqp import AmqpBus
from stockbuddy.chassis.messaging.bus.amqp.envelope import to_amqp
from stockbuddy.chassis.messaging.bus.amqp.permissions import permissions_of, topic_permissions_of
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.messaging.relay import Relay
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.testing.buses import until_connected
from stockbuddy.chassis.testing.chunks import chunks_of
from stockbuddy.contracts import topology
from stockbuddy.local_servers.virtual_hosts import VirtualHosts

DEADLINE_SECONDS = 60
CATALOG_GROUP, LOG_GROUP = "catalog.stock.v1", "notifications.log.v1"
SERVICES = topology.PRODUCERS
UserUrl = Callable[[str], str]
INSERT_CHUNK = text("""
    INSERT INTO outbox_chunk (shard, events, types, body) VALUES (0, 1, :type, :body)
""")


@pytest.fixture
def user_url(rabbitmq: VirtualHosts, bus_url: str) -> Iterator[UserUrl]:
    """The test's virtual host as a service's own user sees it, who has that service's permissions_of and no more."""
    address = urlsplit(bus_url)
    names = {service: f"{address.path.removeprefix('/')}-{service}" for service in SERVICES}
    for service, name in names.items():
        rabbitmq.create_user(name, password="of-a-test")
        rabbitmq.permit(bus_url, name, **asdict(permissions_of(service)))
        for exchange, (write, read) in topic_permissions_of(service).items():
            rabbitmq.permit_topics(bus_url, name, exchange, write=write, read=read)
    yield lambda service: f"amqp://{names[service]}:of-a-test@{address.hostname}:{address.port}{address.path}"
    for name in names.values():
        rabbitmq.delete_user(name)


class Recorder:
    """A receiver that remembers what it took."""

    def __init__(self) -> None:
        self.types: list[str] = []

    async def receive(self, messages: Sequence[Message]) -> None:
        self.types += [message.type for message in messages]

    def subscription(self, group: str) -> Subscription:
        return Subscription(group, self.receive, _never)

    async def until(self, wanted: list[str]) -> None:
        """Poll for what arrives from another process."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while self.types != wanted:
                await asyncio.sleep(0.02)


async def _never() -> None:
    await asyncio.Event().wait()


def message(event_type: str) -> Message:
    event_id = str(uuid_utils.uuid7())
    headers = {"id": event_id, "type": event_type, "source": "/services/probe", "subject": "thing/1"}
    return Message(event_id, event_type, headers, b"{}")


async def publish(url: str, exchange: str, routing_key: str, sent: Message) -> None:
    """Raises ChannelAccessRefused when the broker forbids it."""
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        to = channel.default_exchange if not exchange else await channel.get_exchange(exchange, ensure=False)
        await to.publish(to_amqp(sent), routing_key)


async def test_services_with_minimal_permissions_can_publish_consume_and_refill(
    user_url: UserUrl, bus_url: str, database: Database
) -> None:
    """Stock publishes before its consumers have queues: they receive the missed events from its archive."""
    missed = ["stock.level.changed", "stock.sale.completed"]
    stock = AmqpBus(user_url("stock"), name="stock", archive=Archive(database))
    await stock.start()
    await until_connected(stock)
    async with database.transaction() as session:
        bodies = [chunk.body for chunk in chunks_of(map(message, missed))]
        await session.execute(
            INSERT_CHUNK, [{"type": kind, "body": body} for kind, body in zip(missed, bodies, strict=True)]
        )
    async with Relay(database, stock).worker(DEADLINE_SECONDS):
        await _until_archived(database, len(missed))

    levels, everything = Recorder(), Recorder()
    catalog = AmqpBus(user_url("catalog"), name="catalog")
    notifications = AmqpBus(user_url("notifications"), name="notifications")
    await catalog.subscribe(levels.subscription(CATALOG_GROUP))
    await notifications.subscribe(everything.subscription(LOG_GROUP))
    await levels.until(["stock.level.changed"])
    await everything.until(missed)

    await stock.publish(chunks_of([message("stock.warehouse.created")]))
    await levels.until(["stock.level.changed", "stock.warehouse.created"])
    for bus in (catalog, notifications, stock):
        await bus.close()


async def test_service_cannot_publish_event_types_of_another(user_url: UserUrl) -> None:
    notifications, catalog = await _started(user_url, "notifications", "catalog")
    for exchange, key in [
        (topology.EVENTS_EXCHANGE, "catalog.product.created"),
        (topology.INTERNAL_EXCHANGE, f"auth.{LOG_GROUP}"),
        ("", LOG_GROUP),
    ]:
        with pytest.raises(ChannelAccessRefused):
            await publish(user_url("catalog"), exchange, key, message("auth.user.registered"))
    await notifications.close()
    await catalog.close()


async def test_event_with_the_routing_key_of_another_service_is_rejected(user_url: UserUrl, bus_url: str) -> None:
    [notifications] = await _started(user_url, "notifications")
    recorder = Recorder()
    await notifications.subscribe(recorder.subscription(LOG_GROUP))
    await until_connected(notifications)
    key = topology.internal_key("catalog", LOG_GROUP)
    await publish(user_url("catalog"), topology.INTERNAL_EXCHANGE, key, message("auth.user.registered"))
    await publish(user_url("catalog"), topology.INTERNAL_EXCHANGE, key, message("catalog.made.up"))
    await recorder.until(["catalog.made.up"])
    async with await aio_pika.connect(bus_url) as connection, connection.channel() as channel:
        dead = await channel.get_queue(topology.dead_queue(LOG_GROUP))
        async with asyncio.timeout(DEADLINE_SECONDS):
            while (buried := await dead.get(fail=False)) is None:
                await asyncio.sleep(0.02)
    assert buried.type == "auth.user.registered"
    await notifications.close()


async def test_operator_can_requeue_a_dead_lettered_message(user_url: UserUrl, bus_url: str) -> None:
    [notifications] = await _started(user_url, "notifications")
    recorder = Recorder()
    await notifications.subscribe(recorder.subscription(LOG_GROUP))
    await until_connected(notifications)
    await publish(bus_url, "", LOG_GROUP, message("auth.user.registered"))
    await recorder.until(["auth.user.registered"])
    await notifications.close()


async def test_service_cannot_read_the_queue_of_another(user_url: UserUrl) -> None:
    buses = await _started(user_url, *SERVICES)
    queues = [
        name
        for group in topology.CONSUMER_GROUPS
        for name in (group, topology.dead_queue(group), topology.replay_queue(topology.owner(group)))
    ]
    for queue in queues:
        for service in SERVICES:
            if service != topology.owner(queue):
                with pytest.raises(ChannelAccessRefused):
                    await _get(user_url(service), queue)
    for bus in buses:
        await bus.close()


async def test_service_cannot_bind_its_queue_to_what_others_receive(user_url: UserUrl) -> None:
    [catalog] = await _started(user_url, "catalog")
    async with await aio_pika.connect(user_url("catalog")) as connection, connection.channel() as channel:
        queue = await channel.get_queue(CATALOG_GROUP)
        with pytest.raises(ChannelAccessRefused):
            await queue.bind(topology.INTERNAL_EXCHANGE, routing_key="#")
    await catalog.close()


async def _started(user_url: UserUrl, *services: str) -> list[AmqpBus]:
    buses = [AmqpBus(user_url(service), name=service) for service in services]
    for bus in buses:
        await bus.start()
    await until_connected(*buses)
    return buses


async def _until_archived(database: Database, wanted: int) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            async with database.reading() as session:
                if await session.scalar(text("SELECT count(*) FROM outbox_event WHERE sent_at IS NOT NULL")) == wanted:
                    return
            await asyncio.sleep(0.02)


async def _get(url: str, queue: str) -> None:
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        await (await channel.get_queue(queue, ensure=False)).get(fail=False)
