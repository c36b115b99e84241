"""The bus on RabbitMQ 3.10 or later. The only place that knows aio_pika.

Two connections, because a broker's memory alarm stops reading a connection that publishes, acknowledgements included.
"""

import asyncio
from collections.abc import Mapping, Sequence

from stockbuddy.chassis.bus import Message, Subscription
from stockbuddy.chassis.bus.amqp.connection import Connection
from stockbuddy.chassis.bus.amqp.consumer import consume_forever
from stockbuddy.chassis.bus.amqp.publisher import Publisher
from stockbuddy.contracts.topology import CONSUMER_GROUPS


class AmqpBus:
    """One process's place on the broker at `url`; `name` shows in the broker's list of connections."""

    def __init__(
        self,
        url: str,
        *,
        name: str,
        shutdown_seconds: float = 20,
        groups: Mapping[str, tuple[str, ...]] = CONSUMER_GROUPS,
    ) -> None:
        self._publisher = Publisher(Connection(url, name=f"{name} publishes", groups=groups))
        self._consuming = Connection(url, name=f"{name} consumes", groups=groups)
        self._shutdown_seconds = shutdown_seconds
        self._closing = asyncio.Event()
        self._consumers: list[asyncio.Task[None]] = []

    async def connect(self) -> None:
        """Connect both ways now instead of with the first message. Raises BusAway."""
        await self._publisher.connect()
        await self._consuming.ensure()

    async def publish(self, messages: Sequence[Message]) -> None:
        await self._publisher.publish(messages)

    async def subscribe(self, subscription: Subscription) -> None:
        task = asyncio.create_task(
            consume_forever(self._consuming, subscription, self._closing), name=f"consume {subscription.group}"
        )
        self._consumers.append(task)

    @property
    def is_ready(self) -> bool:
        return self._publisher.is_connected and (not self._consumers or self._consuming.is_open)

    async def close(self) -> None:
        self._closing.set()
        if self._consumers:
            _, unfinished = await asyncio.wait(self._consumers, timeout=self._shutdown_seconds)
            for task in unfinished:
                task.cancel()
        await self._publisher.close()
        await self._consuming.close()
