"""Declares the exchanges and queues of `stockbuddy.contracts.topology` on a broker; idempotent.

Every service declares the shared ones and its own queues only: declaring a queue requires the permission to read it
(docs/adr/0007-broker-rights.md).
"""

import json
from collections.abc import Mapping
from typing import Any

import uuid_utils
from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange
from aiormq.exceptions import ChannelNotFoundEntity

from stockbuddy.chassis.messaging.bus.amqp.envelope import to_amqp
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.contracts import topology

QUORUM: dict[str, Any] = {"x-queue-type": "quorum"}


async def declare_topology(
    connection: AbstractConnection, groups: Mapping[str, tuple[str, ...]], *, service: str
) -> None:
    """Before a missing queue is declared (first start, operator's mistake, lost data), a replay is requested from every
    producer. The request comes first, so that a crash between the two steps repeats it."""
    async with connection.channel() as channel:
        if service == topology.EVENTS_PUBLISHER:
            await declare_events_exchange(channel)
        replays = await _declare_replays(channel, service)
        dead = await channel.declare_exchange(topology.DEAD_EXCHANGE, ExchangeType.DIRECT, durable=True)
        internal = await declare_internal_exchange(channel)
        for group, patterns in groups.items():
            if _belongs_to_other_service(group, service):
                continue
            if not await _exists(connection, group):
                await replays.publish(to_amqp(replay_request(group, patterns)), topology.REPLAY_REQUESTED)
            await _declare_dead_queue(channel, dead, group)
            queue = await channel.declare_queue(group, durable=True, arguments=group_arguments(group))
            await queue.bind(internal, routing_key=topology.internal_key("*", group))


def _belongs_to_other_service(group: str, service: str) -> bool:
    return topology.owner(group) != service and topology.owner(group) in topology.PRODUCERS


def replay_request(group: str, patterns: tuple[str, ...]) -> Message:
    request_id = str(uuid_utils.uuid7())
    headers = {"id": request_id, "type": topology.REPLAY_REQUESTED, "specversion": "1.0", "source": "/bus"}
    body = json.dumps({"queue": group, "patterns": patterns}).encode()
    return Message(request_id, topology.REPLAY_REQUESTED, headers, body)


async def _exists(connection: AbstractConnection, queue: str) -> bool:
    channel = await connection.channel()
    try:
        await channel.get_queue(queue)
    except ChannelNotFoundEntity:
        return False  # the broker has closed the channel
    await channel.close()
    return True


async def _declare_replays(channel: AbstractChannel, service: str) -> AbstractExchange:
    """Declare every producer's request queue, so that no request is lost while a producer is down."""
    exchange = await channel.declare_exchange(topology.REPLAY_EXCHANGE, ExchangeType.FANOUT, durable=True)
    for producer in dict.fromkeys((*topology.PRODUCERS, service)):
        queue = await channel.declare_queue(topology.replay_queue(producer), durable=True, arguments=QUORUM)
        await queue.bind(exchange)
    return exchange


async def declare_events_exchange(channel: AbstractChannel) -> AbstractExchange:
    return await channel.declare_exchange(topology.EVENTS_EXCHANGE, ExchangeType.TOPIC, durable=True)


async def declare_internal_exchange(channel: AbstractChannel) -> AbstractExchange:
    """Routes chunks by producer and queue; the default exchange would let a service publish to any queue."""
    return await channel.declare_exchange(topology.INTERNAL_EXCHANGE, ExchangeType.TOPIC, durable=True)


async def _declare_dead_queue(channel: AbstractChannel, dead: AbstractExchange, group: str) -> None:
    dead_queue = await channel.declare_queue(topology.dead_queue(group), durable=True, arguments=QUORUM)
    await dead_queue.bind(dead, routing_key=group)


def group_arguments(group: str) -> dict[str, Any]:
    """No length limit: a full queue would reject the events of every service. `reject-publish` is set because
    at-least-once dead-lettering requires it."""
    return {
        **QUORUM,
        **({"x-single-active-consumer": True} if group in topology.ORDERED_GROUPS else {}),
        "x-delivery-limit": topology.DELIVERY_LIMIT,
        "x-dead-letter-exchange": topology.DEAD_EXCHANGE,
        "x-dead-letter-routing-key": group,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
