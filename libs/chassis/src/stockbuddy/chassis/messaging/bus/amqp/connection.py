"""A lazy connection to the broker: opened on demand, declares the topology, and is reopened after a failure."""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

import aio_pika
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import AMQPError

from stockbuddy.chassis.messaging.bus import BusUnavailable
from stockbuddy.chassis.messaging.bus.amqp.topology import declare_topology
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
        self._url = url
        self._service = service
        self._name = f"{service} {purpose}"
        self._groups = groups
        self._connection: AbstractConnection | None = None
        self._lock = asyncio.Lock()
        parts = urlsplit(url)
        self._broker = f"{parts.hostname}:{parts.port or parts.scheme}"  # without the password
        self._outage = OutageLog("bus.unavailable", broker=self._broker, connection=self._name)

    async def ensure(self) -> AbstractConnection:
        """The open connection, with the topology declared. Raises NotConnected."""
        async with self._lock:
            if self._connection is not None and self.is_open:
                return self._connection
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
                    connection = await aio_pika.connect(
                        self._url,
                        heartbeat=HEARTBEAT_SECONDS,
                        timeout=CONNECT_TIMEOUT_SECONDS,
                        client_properties={"connection_name": self._name},
                    )
                    await declare_topology(connection, self._groups, service=self._service)
            except CONNECTION_ERRORS as error:
                unavailable = NotConnected(f"no connection to the broker at {self._broker}: {error!r}")
                self._outage.record(unavailable)
                raise unavailable from error
            self._outage.end()
            self._connection = connection
            return connection

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
        if self._connection is not None:
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
                    await self._connection.close()
            except CONNECTION_ERRORS:
                pass  # already closed
            self._connection = None
