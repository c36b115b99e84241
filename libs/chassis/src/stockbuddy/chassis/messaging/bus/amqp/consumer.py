"""Consumes one group's queue: in lanes that keep each partition key's order, acknowledging what was committed.

When the receiver can't commit, consuming stops until it can: requeueing in a loop would burn the delivery limit.
"""

import asyncio
import random
import zlib
from asyncio import Queue
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import aiormq.abc
import structlog
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aiormq.exceptions import AMQPException

from stockbuddy.chassis.messaging.bus import BusUnavailable, ConsumerUnavailable, Message, Subscription
from stockbuddy.chassis.messaging.bus.amqp.connection import AWAY, Connection
from stockbuddy.chassis.messaging.bus.amqp.envelope import from_amqp

log = structlog.get_logger(__name__)

LONGEST_PAUSE_SECONDS = 5.0
OPEN_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Delivery:
    message: Message
    tag: int


async def consume_forever(connection: Connection, subscription: Subscription, closing: asyncio.Event) -> None:
    """Until `closing`: consume, and after any failure wait and consume again."""
    pause_seconds = 0.1
    while not closing.is_set():
        try:
            await _Session(subscription, closing).run(connection)
            pause_seconds = 0.1
        except ConsumerUnavailable as error:
            log.warning("consumer.receiver_away", group=subscription.group, error=str(error))
            await _first(closing.wait(), subscription.wait_until_ready())
        except (BusUnavailable, *AWAY, AMQPException) as error:
            log.warning("consumer.bus_away", group=subscription.group, error=repr(error))
            await _first(closing.wait(), asyncio.sleep(pause_seconds * random.uniform(0.5, 1.5)))
            pause_seconds = min(pause_seconds * 2, LONGEST_PAUSE_SECONDS)
        except Exception:
            log.exception("consumer.failed", group=subscription.group)
            await _first(closing.wait(), asyncio.sleep(LONGEST_PAUSE_SECONDS))


class _Session:
    """One channel's life: from opening it to the first reason to close it."""

    def __init__(self, subscription: Subscription, closing: asyncio.Event) -> None:
        self._subscription = subscription
        self._closing = closing
        self._lanes: list[Queue[Delivery | None]] = [Queue() for _ in range(subscription.lanes)]
        self._ended = asyncio.Event()
        self._channel: aiormq.abc.AbstractChannel

    async def run(self, connection: Connection) -> None:
        """Raises ConsumerUnavailable, or what the broker's leaving raises; returns on closing."""
        async with asyncio.timeout(OPEN_SECONDS):
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
        async with asyncio.timeout(OPEN_SECONDS):
            await channel.set_qos(prefetch_count=self._subscription.lanes * self._subscription.batch_size)
            self._channel = await channel.get_underlay_channel()
            # The broker cancels a consumer whose queue an operator deletes: come back and declare it again.
            self._channel.on_consumer_cancel_callbacks.add(lambda *_: self._ended.set())
            queue = await channel.get_queue(self._subscription.group)
            tag = await queue.consume(self._on_message)
        channel.close_callbacks.add(lambda *_: self._ended.set())
        ended = await _first(self._closing.wait(), self._ended.wait(), *workers)
        if self._closing.is_set():
            async with asyncio.timeout(OPEN_SECONDS):
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
            message = from_amqp(incoming, self._subscription.group)
        except ValueError as error:
            log.error(
                "consumer.not_an_event",
                group=self._subscription.group,
                routing_key=incoming.routing_key,
                error=str(error),
            )
            await incoming.reject(requeue=False)
            return
        lane = zlib.crc32(message.partition_key.encode()) % len(self._lanes)
        self._lanes[lane].put_nowait(Delivery(message, incoming.delivery_tag or 0))

    async def _work(self, lane: "Queue[Delivery | None]") -> None:
        """Receive what the lane holds, in order and in batches, until it is closed with None."""
        open_lane = True
        while open_lane:
            waiting = [await lane.get()]
            while len(waiting) < self._subscription.batch_size and not lane.empty():
                waiting.append(lane.get_nowait())
            batch = [delivery for delivery in waiting if delivery is not None]
            open_lane = len(batch) == len(waiting)
            if batch:
                await self._subscription.receive([delivery.message for delivery in batch])
                await self._acknowledge(batch)

    async def _acknowledge(self, batch: Sequence[Delivery]) -> None:
        if len(self._lanes) == 1:
            # All that came before the last has been received as well: one frame says so.
            await self._channel.basic_ack(batch[-1].tag, multiple=True, wait=False)
            return
        for delivery in batch:
            await self._channel.basic_ack(delivery.tag, wait=False)


async def _first(*awaitables: Coroutine[Any, Any, object] | asyncio.Task[Any]) -> set[asyncio.Task[object]]:
    """Wait for the first of some coroutines or tasks; coroutines that lose are cancelled, tasks go on."""
    tasks = [a if isinstance(a, asyncio.Task) else asyncio.create_task(a) for a in awaitables]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task, awaitable in zip(tasks, awaitables, strict=True):
        if task in pending and task is not awaitable:
            task.cancel()
    return done


async def _close(channel: AbstractChannel) -> None:
    try:
        async with asyncio.timeout(OPEN_SECONDS):
            await channel.close()
    except (*AWAY, AMQPException):
        pass  # Closed already, by whatever ended the session.
