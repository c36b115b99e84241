"""The bus on RabbitMQ 3.10 or later; only this package imports aio_pika.

Publishing and consuming use separate connections: on a memory alarm the broker stops reading from a publishing
connection, which would block acknowledgements as well.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence

from stockbuddy.chassis.messaging.archive import Archive
from stockbuddy.chassis.messaging.bus import BusUnavailable, PublishExternally, Subscription
from stockbuddy.chassis.messaging.bus.amqp.archive_replay import ArchiveReplayer
from stockbuddy.chassis.messaging.bus.amqp.connection import Connection
from stockbuddy.chassis.messaging.bus.amqp.consumer import consume_forever
from stockbuddy.chassis.messaging.bus.amqp.envelope import to_batch
from stockbuddy.chassis.messaging.bus.amqp.frames import Address
from stockbuddy.chassis.messaging.bus.amqp.publisher import Publisher
from stockbuddy.chassis.messaging.chunks import Chunk, join
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.runtime.failures import is_environment_fault
from stockbuddy.contracts.topology import (
    CONSUMER_GROUPS,
    EVENTS_EXCHANGE,
    EVENTS_PUBLISHER,
    INTERNAL_EXCHANGE,
    internal_key,
    types_for,
)

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
        self._name = name
        self._groups = groups
        self._publisher = Publisher(publishing)
        # A channel of its own: a batch that the broker refuses closes the channel.
        self._external_publisher = Publisher(publishing)
        self._replayer = ArchiveReplayer(Publisher(publishing), archive, producer=name) if archive else None
        self._consuming = Connection(url, service=name, purpose="consumer", groups=groups)
        self._shutdown_seconds = shutdown_seconds
        self._closing = asyncio.Event()
        self._subscribed = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def publish(self, chunks: Sequence[Chunk]) -> None:
        """One message for each queue, as far as their size allows: a queue receives only what it subscribes to."""
        published = frozenset(event_type for chunk in chunks for event_type in chunk.types)
        addressed: list[tuple[Address, Message]] = []
        for group, patterns in self._groups.items():
            if types := types_for(patterns, published):
                address = Address(INTERNAL_EXCHANGE, internal_key(self._name, group))
                wanted = [part for chunk in chunks if (part := chunk.only(types)) is not None]
                addressed += [(address, to_batch(joined)) for joined in join(wanted)]
        await self._publisher.publish(addressed)

    @property
    def publish_externally(self) -> PublishExternally | None:
        return self._publish_externally if self._name == EVENTS_PUBLISHER else None

    async def _publish_externally(self, messages: Sequence[Message]) -> None:
        await self._external_publisher.publish([(Address(EVENTS_EXCHANGE, m.type), m) for m in messages])

    async def start(self) -> None:
        self._tasks.append(asyncio.create_task(self._keep_connected(), name="keep connected"))
        if self._replayer is not None:
            await self.subscribe(self._replayer.subscription())
            self._tasks.append(asyncio.create_task(self._replay_to_new_groups(self._replayer), name="replay"))

    async def _replay_to_new_groups(self, replayer: ArchiveReplayer) -> None:
        while not self._closing.is_set():
            try:
                return await replayer.replay_to_new_groups(self._groups)
            except Exception as error:
                if not is_environment_fault(error):
                    raise
                await self._wait_for_closing(RECONNECT_INTERVAL_SECONDS)

    async def _keep_connected(self) -> None:
        """Keep the publishing connection open, so that readiness reflects the broker even if nothing is published."""
        while not self._closing.is_set():
            with contextlib.suppress(BusUnavailable):
                await self._publisher.connect()
            await self._wait_for_closing(RECONNECT_INTERVAL_SECONDS)

    async def _wait_for_closing(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
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
        await self._external_publisher.close()
        await self._consuming.close()
