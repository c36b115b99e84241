"""Publishes with confirms, pipelined: one by one a broker confirms 1,000 a second, by 200 some 5,700."""

import asyncio
from collections.abc import Sequence

from aio_pika.abc import AbstractChannel, AbstractExchange
from aiormq.exceptions import AMQPException

from stockbuddy.chassis.bus import BusAway, Message
from stockbuddy.chassis.bus.amqp.connection import AWAY, Connection
from stockbuddy.chassis.bus.amqp.envelope import to_amqp
from stockbuddy.chassis.bus.amqp.topology import declare_events_exchange, declare_refill_exchange

CONFIRM_SECONDS = 10


class Publisher:
    """One channel of its own; any doubt about a message closes it, and the whole batch is sent again later."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._channel: AbstractChannel | None = None
        self._exchanges: tuple[AbstractExchange, AbstractExchange] | None = None
        self._lock = asyncio.Lock()

    async def connect(self) -> None:
        """Open what `publish` needs. Raises BusAway."""
        async with self._lock:
            await self._open()

    async def publish(self, messages: Sequence[Message], *, refill_key: str | None = None) -> None:
        """Returns when the broker has every message on disk in every queue that is bound to its type, or in the one
        that `refill_key` names alone. Raises BusAway."""
        async with self._lock:
            events, refill = await self._open()
            if refill_key is None:
                confirms = [events.publish(to_amqp(m), m.type, mandatory=True) for m in messages]
            else:
                confirms = [refill.publish(to_amqp(m), refill_key, mandatory=True) for m in messages]
            try:
                async with asyncio.timeout(CONFIRM_SECONDS):
                    outcomes = await asyncio.gather(*confirms, return_exceptions=True)
            except TimeoutError as error:
                await self._close_channel()
                raise BusAway("the broker does not confirm") from error
            except asyncio.CancelledError:
                await self._close_channel()
                raise
            if failures := [outcome for outcome in outcomes if isinstance(outcome, BaseException)]:
                await self._close_channel()
                raise BusAway(f"not confirmed: {failures[0]!r}") from failures[0]

    async def _open(self) -> tuple[AbstractExchange, AbstractExchange]:
        """The exchange of events, and the one that fills a single queue."""
        if self._exchanges is None or self._channel is None or self._channel.is_closed:
            connection = await self._connection.ensure()
            try:
                async with asyncio.timeout(CONFIRM_SECONDS):
                    self._channel = await connection.channel(on_return_raises=True)
                    events = await declare_events_exchange(self._channel)
                    self._exchanges = events, await declare_refill_exchange(self._channel)
            except (*AWAY, AMQPException) as error:
                await self._close_channel()
                raise BusAway(f"no channel: {error!r}") from error
        return self._exchanges

    async def _close_channel(self) -> None:
        channel, self._channel, self._exchanges = self._channel, None, None
        if channel is not None and not channel.is_closed:
            try:
                async with asyncio.timeout(CONFIRM_SECONDS):
                    await channel.close()
            except (*AWAY, AMQPException):
                # A connection whose channel can't be closed is of no use to the next batch either.
                await self._connection.close()

    @property
    def is_connected(self) -> bool:
        return self._channel is not None and not self._channel.is_closed and self._connection.is_open

    async def close(self) -> None:
        await self._close_channel()
        await self._connection.close()
