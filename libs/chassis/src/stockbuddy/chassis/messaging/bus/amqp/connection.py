"""A lazy connection to the broker: opened on demand, declares the topology, and is reopened after a failure, to the
next node of a cluster."""

import asyncio
import random
from collections import deque
from collections.abc import Mapping
from urllib.parse import urlsplit

import aio_pika
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import AMQPError

from stockbuddy.chassis.messaging.bus import BusUnavailable
from stockbuddy.chassis.messaging.bus.amqp.topology import declare_topology
from stockbuddy.chassis.runtime.broker_url import broker_urls
from stockbuddy.chassis.runtime.outages import OutageLog

HEARTBEAT_SECONDS = 10
CONNECT_TIMEOUT_SECONDS = 10

CONNECTION_ERRORS = (AMQPError, OSError, TimeoutError, RuntimeError, StopAsyncIteration)
"""Exceptions that aio_pika raises when the broker is unreachable or disconnects (RuntimeError: use of a closed channel;
StopAsyncIteration: the peer closed the connection before the handshake)."""


class NotConnected(BusUnavailable):
    """No connection to the broker; logged by the connection, once for all that wait for it."""


class Connection:
    def __init__(self, url: str, *, service: str, purpose: str, groups: Mapping[str, tuple[str, ...]]) -> None:
        self._nodes = deque(broker_urls(url))
        self._nodes.rotate(random.randrange(len(self._nodes)))  # spreads connections
        self._service = service
        self._name = f"{service} {purpose}"
        self._groups = groups
        self._connection: AbstractConnection | None = None
        self._lock = asyncio.Lock()
        self._broker = urlsplit(url).netloc.rpartition("@")[2]  # without the password
        self._outage = OutageLog("bus.unavailable", broker=self._broker, connection=self._name)

    async def ensure(self) -> AbstractConnection:
        """The open connection, with the topology declared. Raises NotConnected."""
        async with self._lock:
            if self._connection is not None and self.is_open:
                return self._connection
            for remaining in reversed(range(len(self._nodes))):
                try:
                    self._connection = await self._open(self._nodes[0])
                    break
                except CONNECTION_ERRORS as error:
                    self._nodes.rotate(-1)
                    if remaining == 0:
                        unavailable = NotConnected(f"no connection to the broker at {self._broker}: {error!r}")
                        self._outage.record(unavailable)
                        raise unavailable from error
                except asyncio.CancelledError:
                    self._nodes.rotate(-1)  # the caller's timeout may be the shorter one
                    raise
            self._outage.end()
            assert self._connection is not None
            return self._connection

    async def _open(self, url: str) -> AbstractConnection:
        async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
            connection = await aio_pika.connect(
                url,
                heartbeat=HEARTBEAT_SECONDS,
                timeout=CONNECT_TIMEOUT_SECONDS,
                client_properties={"connection_name": self._name},
            )
            try:
                await declare_topology(connection, self._groups, service=self._service)
            except BaseException:
                await _close(connection)
                raise
            return connection

    async def leave_node(self, used: AbstractConnection | None) -> None:
        """Use another node from now on, if `used` is the present connection: its node does not complete what it
        accepts, as one that is frozen or cut off from the majority of its cluster. Does nothing without a cluster."""
        async with self._lock:
            if len(self._nodes) > 1 and used is not None and self._connection is used:
                await self._discard()
                self._nodes.rotate(-1)

    async def declare(self) -> AbstractConnection:
        """Like `ensure`, and declare the topology again: an operator may have deleted a queue since."""
        connection = await self.ensure()
        await declare_topology(connection, self._groups, service=self._service)
        return connection

    @property
    def is_open(self) -> bool:
        # aio_pika's `is_closed` is only set by our own `close`, not by a broken connection.
        return self._connection is not None and self._connection.connected.is_set()

    async def close(self) -> None:
        async with self._lock:
            await self._discard()

    async def _discard(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await _close(connection)


async def _close(connection: AbstractConnection) -> None:
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
            await connection.close()
    except CONNECTION_ERRORS:
        pass  # already closed
