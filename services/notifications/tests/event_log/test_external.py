"""Events for consumers outside the system, published from the log to RabbitMQ."""

import json
from typing import Any

import aio_pika
from httpx2 import AsyncClient

from stockbuddy.chassis.messaging.bus import EventRefused
from stockbuddy.chassis.messaging.bus.amqp import AmqpBus
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.messaging.outbox import open_database
from stockbuddy.chassis.testing.buses import until_connected
from stockbuddy.contracts.topology import EVENTS_EXCHANGE, EVENTS_PUBLISHER
from stockbuddy.notifications.event_log.external import ExternalPublisher

TIMEOUT_SECONDS = 60


async def test_events_are_published_once_in_the_order_of_the_log(
    admin: AsyncClient, service: Any, samples: Any, database_url: str, bus_url: str
) -> None:
    """Two replicas publish; one event is in the log before the queue exists."""
    database = open_database(database_url, "notifications")
    bus = AmqpBus(bus_url, name=EVENTS_PUBLISHER, groups={})
    await bus.start()
    assert bus.publish_externally is not None
    async with await aio_pika.connect(bus_url) as connection, connection.channel() as channel:
        await until_connected(bus)
        queue = await channel.declare_queue("till.v1", durable=True)
        await queue.bind(EVENTS_EXCHANGE, "stock.#")
        await service.publish(samples.movement(1), samples.product())
        publishers = [ExternalPublisher(database, bus.publish_externally).worker() for _ in range(2)]
        async with publishers[0], publishers[1]:
            for number in range(2, 30):
                await service.publish(samples.movement(number))
            async with queue.iterator(no_ack=True, timeout=TIMEOUT_SECONDS) as messages:
                received = [await anext(messages) for _ in range(29)]
        assert await queue.get(no_ack=True, fail=False) is None
    logged = (await admin.get("/events", params={"types": "stock.*", "limit": 100})).json()["items"]
    assert [message.message_id for message in received] == [event["id"] for event in logged]
    first = received[0]
    assert (first.routing_key, first.content_type) == ("stock.movement.posted", "application/json")
    assert first.headers["cloudEvents_subject"] == logged[0]["subject"]
    assert first.headers["cloudEvents_clientip"] == logged[0]["clientip"]
    assert json.loads(first.body) == logged[0]["data"]
    await bus.close()
    await database.close()


async def test_event_that_the_broker_refuses_does_not_hold_up_the_others(
    service: Any, samples: Any, database_url: str, until: Any
) -> None:
    published: list[Message] = []

    async def publish(messages: list[Message]) -> None:
        if any(b'"notes":"huge"' in message.body for message in messages):
            raise EventRefused("too large")
        published.extend(messages)

    database = open_database(database_url, "notifications")
    sent = [message for notes in ("a", "huge", "b") for message in await service.publish(samples.movement(notes=notes))]

    async def all_published() -> bool:
        return len(published) == 2

    async with ExternalPublisher(database, publish).worker():  # type: ignore[arg-type]
        await until(all_published)
    assert [message.id for message in published] == [sent[0].id, sent[2].id]
    await database.close()
