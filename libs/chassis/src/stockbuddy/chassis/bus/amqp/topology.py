"""Declares the manifest of `stockbuddy.contracts.topology` on a broker. Safe to repeat; every service does."""

import json
from collections.abc import Mapping
from typing import Any

import uuid_utils
from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange
from aiormq.exceptions import ChannelNotFoundEntity

from stockbuddy.chassis.bus import Message
from stockbuddy.chassis.bus.amqp.envelope import to_amqp
from stockbuddy.contracts import topology


async def declare_topology(connection: AbstractConnection, groups: Mapping[str, tuple[str, ...]]) -> None:
    """A group's queue that is not there — the first start, an operator's mistake, a broker that lost its data — is
    asked for at every producer's archive before it is made: if we die in between, the next to come asks again."""
    async with connection.channel() as channel:
        await _declare_unrouted(channel)
        replays = await _declare_replays(channel)
        dead = await channel.declare_exchange(topology.DEAD_EXCHANGE, ExchangeType.DIRECT, durable=True)
        events = await declare_events_exchange(channel)
        for group, patterns in groups.items():
            if not await _exists(connection, group):
                await replays.publish(to_amqp(replay_request(group, patterns)), "")
            await _declare_group(channel, events, dead, group, patterns)


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
        return False  # The broker has closed the channel with its answer.
    await channel.close()
    return True


async def _declare_replays(channel: AbstractChannel) -> AbstractExchange:
    exchange = await channel.declare_exchange(topology.REPLAY_EXCHANGE, ExchangeType.FANOUT, durable=True)
    for producer in topology.PRODUCERS:
        queue = await channel.declare_queue(
            topology.replay_queue(producer), durable=True, arguments={"x-queue-type": "quorum"}
        )
        await queue.bind(exchange)
    return exchange


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
