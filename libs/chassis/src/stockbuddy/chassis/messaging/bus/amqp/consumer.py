"""Consumes one group's queue in lanes that preserve the order of each partition key; acknowledges a chunk when all its
events are committed.

While the receiver can't commit, consuming is paused: returning messages to the queue in a loop would use up their
delivery limit.
"""

import asyncio
import random
import zlib
from asyncio import Queue
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import aiormq.abc
import structlog
from aio_pika import DeliveryMode
from aio_pika import Message as AmqpMessage
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from aiormq.exceptions import AMQPException

from stockbuddy.chassis.messaging.bus import BusUnavailable, ConsumerUnavailable, Subscription
from stockbuddy.chassis.messaging.bus.amqp.connection import CONNECTION_ERRORS, Connection, NotConnected
from stockbuddy.chassis.messaging.bus.amqp.envelope import from_amqp
from stockbuddy.chassis.messaging.chunks import BATCH_CONTENT_TYPE, batch_text
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.runtime.outages import OutageLog
from stockbuddy.contracts.topology import DEAD_EXCHANGE

log = structlog.get_logger(__name__)

MAX_RECONNECT_DELAY_SECONDS = 5.0
OPEN_TIMEOUT_SECONDS = 10


PREFETCHED_CHUNKS = 32
"""Enough for the next delivery while one commits; a chunk has up to 250 events."""


@dataclass(slots=True, eq=False)
class _Delivery:
    """An AMQP message and the number of its events that are neither committed nor dead-lettered yet."""

    tag: int
    unsettled: int


@dataclass(frozen=True, slots=True)
class _ReceivedEvent:
    message: Message
    delivery: _Delivery


async def consume_forever(connection: Connection, subscription: Subscription, closing: asyncio.Event) -> None:
    """Consume until `closing` is set; after a failure, retry with exponential backoff."""
    delay_seconds = 0.1
    outage = OutageLog("consumer.bus_unavailable", group=subscription.group)
    while not closing.is_set():
        try:
            session = _Session(subscription, closing)
            await session.run(connection)
        except ConsumerUnavailable:
            await _first(closing.wait(), subscription.wait_until_ready())
        except (BusUnavailable, *CONNECTION_ERRORS, AMQPException) as error:
            if session.was_open:
                outage.end()
                delay_seconds = 0.1
            if isinstance(error, TimeoutError):
                await connection.leave_node(session.used)
            if not isinstance(error, NotConnected):
                outage.record(error if isinstance(error, BusUnavailable) else BusUnavailable(repr(error)))
            await _first(closing.wait(), asyncio.sleep(delay_seconds * random.uniform(0.5, 1.5)))
            delay_seconds = min(delay_seconds * 2, MAX_RECONNECT_DELAY_SECONDS)
        except Exception:
            log.exception("consumer.failed", group=subscription.group)
            await _first(closing.wait(), asyncio.sleep(MAX_RECONNECT_DELAY_SECONDS))


class _Session:
    """One channel, from opening it to the first reason to close it."""

    def __init__(self, subscription: Subscription, closing: asyncio.Event) -> None:
        self._subscription = subscription
        self._closing = closing
        self._lanes: list[Queue[_ReceivedEvent | None]] = [Queue() for _ in range(subscription.lanes)]
        self._ended = asyncio.Event()
        self.was_open = False
        self.used: AbstractConnection | None = None
        self._opened: AbstractChannel
        self._channel: aiormq.abc.AbstractChannel

    async def run(self, connection: Connection) -> None:
        """Consume until closing. Raises ConsumerUnavailable, or one of CONNECTION_ERRORS if the broker disconnects."""
        self.used = await connection.ensure()  # has timeouts of its own
        async with asyncio.timeout(OPEN_TIMEOUT_SECONDS):
            channel = await (await connection.declare()).channel()
        workers = [asyncio.create_task(self._work(lane)) for lane in self._lanes]
        try:
            await self._consume(channel, workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            await _close(channel)

    async def _consume(self, channel: AbstractChannel, workers: list[asyncio.Task[None]]) -> None:
        async with asyncio.timeout(OPEN_TIMEOUT_SECONDS):
            await channel.set_qos(prefetch_count=PREFETCHED_CHUNKS)
            self._opened = channel
            self._channel = await channel.get_underlay_channel()
            # The broker cancels the consumer if an operator deletes its queue: reconnect and declare it again.
            self._channel.on_consumer_cancel_callbacks.add(lambda *_: self._ended.set())
            queue = await channel.get_queue(self._subscription.group)
            tag = await queue.consume(self._on_message)
            self.was_open = True
        channel.close_callbacks.add(lambda *_: self._ended.set())
        ended = await _first(self._closing.wait(), self._ended.wait(), *workers)
        if self._closing.is_set():
            async with asyncio.timeout(OPEN_TIMEOUT_SECONDS):
                await queue.cancel(tag)
            for lane in self._lanes:
                lane.put_nowait(None)
            await asyncio.gather(*workers)
        for task in ended:
            if error := task.exception():
                raise error
        if not self._closing.is_set():
            raise BusUnavailable("the channel is closed" if channel.is_closed else "the broker cancelled the consumer")

    async def _on_message(self, incoming: AbstractIncomingMessage) -> None:
        try:
            received = from_amqp(incoming, self._subscription.group)
        except ValueError as error:
            self._log_unusable(incoming, error)
            await incoming.reject(requeue=False)
            return
        delivery = _Delivery(incoming.delivery_tag or 0, len(received.messages) + len(received.unusable))
        # Before the first await: the next delivery must not overtake this one.
        for message in received.messages:
            lane = zlib.crc32(message.partition_key.encode()) % len(self._lanes)
            self._lanes[lane].put_nowait(_ReceivedEvent(message, delivery))
        for event, reason in received.unusable:
            self._log_unusable(incoming, reason)
            await self._publish_dead(event)
            await self._settle(delivery)

    def _log_unusable(self, incoming: AbstractIncomingMessage, error: ValueError) -> None:
        log.error(
            "consumer.not_an_event",
            group=self._subscription.group,
            routing_key=incoming.routing_key,
            error=str(error),
        )

    async def _publish_dead(self, event: str) -> None:
        """Move one event of a chunk to the dead-letter queue; the broker can only move whole messages."""
        message = AmqpMessage(
            batch_text([event]).encode(), content_type=BATCH_CONTENT_TYPE, delivery_mode=DeliveryMode.PERSISTENT
        )
        dead = await self._opened.get_exchange(DEAD_EXCHANGE, ensure=False)
        await dead.publish(message, routing_key=self._subscription.group)

    async def _work(self, lane: "Queue[_ReceivedEvent | None]") -> None:
        """Pass the lane's messages to the receiver, in order and in batches, until None closes the lane."""
        open_lane = True
        while open_lane:
            waiting = [await lane.get()]
            while len(waiting) < self._subscription.batch_size and not lane.empty():
                waiting.append(lane.get_nowait())
            batch = [event for event in waiting if event is not None]
            open_lane = len(batch) == len(waiting)
            if batch:
                await self._subscription.receive([event.message for event in batch])
                for event in batch:
                    await self._settle(event.delivery)

    async def _settle(self, delivery: _Delivery) -> None:
        """Count one event of the delivery as committed; acknowledge the delivery after its last one."""
        delivery.unsettled -= 1
        if delivery.unsettled == 0:
            await self._channel.basic_ack(delivery.tag, wait=False)


async def _first(*awaitables: Coroutine[Any, Any, object] | asyncio.Task[Any]) -> set[asyncio.Task[object]]:
    """Wait for the first to complete; cancel the other coroutines, let the other tasks continue."""
    tasks = [a if isinstance(a, asyncio.Task) else asyncio.create_task(a) for a in awaitables]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task, awaitable in zip(tasks, awaitables, strict=True):
        if task in pending and task is not awaitable:
            task.cancel()
    return done


async def _close(channel: AbstractChannel) -> None:
    try:
        async with asyncio.timeout(OPEN_TIMEOUT_SECONDS):
            await channel.close()
    except (*CONNECTION_ERRORS, AMQPException):
        pass  # already closed by the failure that ended the session
