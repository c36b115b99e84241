"""Test brokers: a virtual host for each test, and a private broker that can be killed."""

from __future__ import annotations

import asyncio

import aio_pika
import pytest

from stockbuddy.chassis.testing.rabbitmq import PrivateRabbitMQ
from stockbuddy.local_servers.virtual_hosts import ManagementError, VirtualHosts


async def put(url: str, text: str) -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.declare_queue("letters", durable=True, arguments={"x-queue-type": "quorum"})
        message = aio_pika.Message(text.encode(), delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(message, "letters")


async def take(url: str) -> str:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("letters", durable=True, arguments={"x-queue-type": "quorum"})
        message = await queue.get(timeout=60)
        assert message is not None
        await message.ack()
        return message.body.decode()


async def test_each_test_has_its_own_virtual_host(rabbitmq: VirtualHosts, bus_url: str) -> None:
    other_url = rabbitmq.create()
    await put(bus_url, "mine")
    await put(other_url, "theirs")
    assert await take(bus_url) == "mine"
    rabbitmq.delete(other_url)
    with pytest.raises(aio_pika.exceptions.AMQPError):
        await aio_pika.connect(other_url)


def test_management_api_error_is_raised(rabbitmq: VirtualHosts) -> None:
    with pytest.raises(ManagementError, match="404"):
        rabbitmq.delete("amqp://127.0.0.1/no-such-host")


async def test_private_broker_restarts_at_the_same_address_and_can_lose_its_data(
    private_rabbitmq: PrivateRabbitMQ,
) -> None:
    url = private_rabbitmq.virtual_hosts.create()
    private_rabbitmq.kill()
    with pytest.raises((OSError, aio_pika.exceptions.AMQPError)):
        await aio_pika.connect(url)
    await asyncio.to_thread(private_rabbitmq.start)
    await put(url, "hello")
    assert await take(url) == "hello"
    await put(private_rabbitmq.url, "forgotten")
    private_rabbitmq.control("add_vhost", "forgotten")
    private_rabbitmq.lose_data()
    await asyncio.to_thread(private_rabbitmq.start)
    private_rabbitmq.control("add_vhost", "forgotten")
    await put(private_rabbitmq.url, "hello")
    assert await take(private_rabbitmq.url) == "hello"
