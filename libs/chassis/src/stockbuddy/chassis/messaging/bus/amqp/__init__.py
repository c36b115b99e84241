"""The bus on RabbitMQ 3.10 or later; only this package imports aio_pika.

Publishing and consuming use separate connections: on a memory alarm the broker stops reading from a publishing
connection, which would block acknowledgements as well.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence

from stockbuddy.chassis.messaging.archive import Archive
from stockbuddy.chassis.messaging.bus import BusUnavailable, Message, Subscription
from stockbuddy.chassis.messaging.bus.amqp.archive_replay import ArchiveReplayer
from stockbuddy.chassis.messaging.bus.amqp.connection import Connection
from stockbuddy.chassis.messaging.bus.amqp.consumer import consume_forever
from stockbuddy.chassis.messaging.bus.amqp.publisher import Publisher
from stockbuddy.contracts.topology import CONSUMER_GROUPS

RECONNECT_INTERVAL_SECONDS = 1.0


class AmqpBus:
    """A process's connections to the broker at `url`; `name` is the service's. With an `archive` it serves requests to
    replay the service's events."""

    def __init__(
        self,
        url: str,
        *,
        name: str,
        shutdown_seconds: float = 20,
        groups: Mapping[str, tuple[str, ...]] = CONSUMER_GROUPS,
        archive: Archive | None = None,
    ) -> None:
        publishing = Connection(url, service=name, purpose="publisher", groups=groups)
        self._publisher = Publisher(publishing)
        self._replayer = ArchiveReplayer(Publisher(publishing), archive, producer=name) if archive else None
        self._consuming = Connection(url, service=name, purpose="consumer", groups=groups)
        self._shutdown_seconds = shutdown_seconds
        self._closing = asyncio.Event()
        self._subscribed = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def publish(self, messages: Sequence[Message]) -> None:
        await self._publisher.publish(messages)

    async def start(self) -> None:
        self._tasks.append(asyncio.create_task(self._keep_connected(), name="keep connected"))
        if self._replayer is not None:
            await self.subscribe(self._replayer.subscription())

    async def _keep_connected(self) -> None:
        """Keep the publishing connection open, so that readiness reflects the broker even if nothing is published."""
        while not self._closing.is_set():
            with contextlib.suppress(BusUnavailable):
                await self._publisher.connect()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RECONNECT_INTERVAL_SECONDS):
                    await self._closing.wait()

    async def subscribe(self, subscription: Subscription) -> None:
        self._subscribed += 1
        task = asyncio.create_task(
            consume_forever(self._consuming, subscription, self._closing), name=f"consume {subscription.group}"
        )
        self._tasks.append(task)

    @property
    def is_ready(self) -> bool:
        return self._publisher.is_connected and (self._subscribed == 0 or self._consuming.is_open)

    async def close(self) -> None:
        self._closing.set()
        if self._tasks:
            _, unfinished = await asyncio.wait(self._tasks, timeout=self._shutdown_seconds)
            for task in unfinished:
                task.cancel()
        await self._publisher.close()
        await self._consuming.close()
