"""Declares the manifest of `stockbuddy.contracts.topology` on a broker. Safe to repeat; every service does."""

from collections.abc import Mapping
from typing import Any

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange

from stockbuddy.contracts import topology


async def declare_topology(connection: AbstractConnection, groups: Mapping[str, tuple[str, ...]]) -> None:
    async with connection.channel() as channel:
        await _declare_unrouted(channel)
        dead = await channel.declare_exchange(topology.DEAD_EXCHANGE, ExchangeType.DIRECT, durable=True)
        events = await declare_events_exchange(channel)
        for group, patterns in groups.items():
            await _declare_group(channel, events, dead, group, patterns)


async def declare_events_exchange(channel: AbstractChannel) -> AbstractExchange:
    return await channel.declare_exchange(
        topology.EVENTS_EXCHANGE,
        ExchangeType.TOPIC,
        durable=True,
        arguments={"alternate-exchange": topology.UNROUTED_EXCHANGE},
    )


async def _declare_unrouted(channel: AbstractChannel) -> None:
    """What nobody hears is kept for a while, so that a missing binding can be seen and mended."""
    exchange = await channel.declare_exchange(topology.UNROUTED_EXCHANGE, ExchangeType.FANOUT, durable=True)
    queue = await channel.declare_queue(
        topology.UNROUTED_QUEUE,
        durable=True,
        arguments={
            "x-queue-type": "quorum",
            "x-max-length": topology.UNROUTED_MAX_LENGTH,
            "x-overflow": "drop-head",
        },
    )
    await queue.bind(exchange)


async def _declare_group(
    channel: AbstractChannel,
    events: AbstractExchange,
    dead: AbstractExchange,
    group: str,
    patterns: tuple[str, ...],
) -> None:
    dead_queue = await channel.declare_queue(
        topology.dead_queue(group), durable=True, arguments={"x-queue-type": "quorum"}
    )
    await dead_queue.bind(dead, routing_key=group)
    queue = await channel.declare_queue(group, durable=True, arguments=group_arguments(group))
    for pattern in patterns:
        await queue.bind(events, routing_key=pattern)


def group_arguments(group: str) -> dict[str, Any]:
    """No length limit: a full queue would refuse events of every service. At-least-once dead-lettering needs
    `reject-publish` in its place."""
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": topology.DELIVERY_LIMIT,
        "x-dead-letter-exchange": topology.DEAD_EXCHANGE,
        "x-dead-letter-routing-key": group,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
