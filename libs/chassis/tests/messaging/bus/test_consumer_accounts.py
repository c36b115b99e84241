"""Accounts of consumers outside the system, on a real broker: what they may do, and what not."""

import secrets
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aio_pika
import pytest
from aiormq.exceptions import ChannelAccessRefused

from stockbuddy.chassis.messaging.bus.amqp import AmqpBus
from stockbuddy.chassis.messaging.bus.amqp.consumer_accounts import ConsumerRefused, add_consumer
from stockbuddy.chassis.messaging.bus.amqp.topology import declare_events_exchange
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.contracts.topology import DEAD_EXCHANGE, EVENTS_EXCHANGE, EVENTS_PUBLISHER
from stockbuddy.local_servers.virtual_hosts import VirtualHosts

TIMEOUT_SECONDS = 60


@pytest.fixture
async def operator(bus_url: str) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
    async with await aio_pika.connect(bus_url) as connection, connection.channel() as channel:
        yield channel


def message(event_type: str) -> Message:
    event_id = "0193a8c0-0000-7000-8000-000000000001"
    return Message(event_id, event_type, {"id": event_id, "type": event_type, "source": "/services/stock"}, b"{}")


async def test_consumer_receives_its_types_and_may_do_nothing_else(
    rabbitmq: VirtualHosts, bus_url: str, operator: aio_pika.abc.AbstractChannel
) -> None:
    name, host = f"till-{secrets.token_hex(4)}", urlsplit(bus_url).path[1:]
    with pytest.raises(ConsumerRefused, match="start the services first"):
        await add_consumer(rabbitmq.management_url, host, name, ["stock.sale.*"])
    await declare_events_exchange(operator)
    password = await add_consumer(rabbitmq.management_url, host, name, ["stock.level.low", "stock.sale.*"])
    assert password is not None
    address = urlsplit(bus_url)
    url = address._replace(netloc=f"{name}:{password}@{address.hostname}:{address.port}").geturl()
    bus = AmqpBus(bus_url, name=EVENTS_PUBLISHER, groups={})
    publish = bus.publish_externally
    assert publish is not None
    await bus.start()
    try:
        # Again with other patterns: the password stays, and the old binding is gone.
        assert await add_consumer(rabbitmq.management_url, host, name, ["stock.sale.*"]) is None
        await publish([message("stock.level.low"), message("stock.sale.completed")])
        async with await aio_pika.connect(url) as connection:
            queue = await (await connection.channel()).get_queue(f"{name}.v1")
            received = await queue.get(timeout=TIMEOUT_SECONDS)
            assert received.routing_key == "stock.sale.completed"
            await received.ack()
            own = await (await connection.channel()).declare_queue(f"{name}.other.v1", durable=True)
            await own.bind(EVENTS_EXCHANGE, "stock.sale.*")
            with pytest.raises(ChannelAccessRefused):
                await own.bind(EVENTS_EXCHANGE, "auth.#")
            for forbidden in (_declare_foreign_queue, _declare_exchange, _publish):
                with pytest.raises(ChannelAccessRefused):
                    await forbidden(await connection.channel())
    finally:
        await bus.close()
        rabbitmq.delete_user(name)


async def _declare_foreign_queue(channel: aio_pika.abc.AbstractChannel) -> None:
    await channel.declare_queue("notifications.log.v1", durable=True)


async def _declare_exchange(channel: aio_pika.abc.AbstractChannel) -> None:
    await channel.declare_exchange(DEAD_EXCHANGE, durable=True)


async def _publish(channel: aio_pika.abc.AbstractChannel) -> None:
    exchange = await channel.get_exchange(EVENTS_EXCHANGE, ensure=False)
    await exchange.publish(aio_pika.Message(b"{}"), "stock.sale.completed")


async def test_invalid_consumers_are_refused(rabbitmq: VirtualHosts) -> None:
    for name, patterns in [
        ("stock", ["stock.*"]),
        ("operator", ["stock.*"]),
        ("Till", ["stock.*"]),
        ("till.x", ["stock.*"]),
        ("till", []),
        ("till", ["stock.*, auth"]),
        ("till", ["stock..*"]),
    ]:
        with pytest.raises(ConsumerRefused):
            await add_consumer(rabbitmq.management_url, "/", name, patterns)
    wrong = urlsplit(rabbitmq.management_url)._replace(netloc="operator:of-a-typo@127.0.0.1:1").geturl()
    with pytest.raises(ConsumerRefused, match="BUS_MANAGEMENT_URL") as refused:
        await add_consumer(wrong, "/", "till", ["stock.*"])
    assert "of-a-typo" not in str(refused.value)
