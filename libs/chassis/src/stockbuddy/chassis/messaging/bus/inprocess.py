"""The bus inside one process: as durable as a broker, because a message leaves its sender's outbox only when
every group that hears it has committed it."""

import asyncio
from collections.abc import Mapping, Sequence

from stockbuddy.chassis.messaging.bus import BusUnavailable, ConsumerUnavailable, Message, Subscription
from stockbuddy.contracts.topology import CONSUMER_GROUPS, consumers_of


class InProcessBus:
    """Delivers to the subscribed groups of `expected_services` (default: whatever is subscribed).

    A group of an expected service that has not subscribed yet makes `publish` fail, so that its messages wait.
    """

    def __init__(
        self,
        expected_services: frozenset[str] = frozenset(),
        groups: Mapping[str, tuple[str, ...]] = CONSUMER_GROUPS,
    ) -> None:
        self._expected = expected_services
        self._groups = groups
        self._subscriptions: dict[str, Subscription] = {}
        self._lanes: dict[str, asyncio.Lock] = {}
        self._closed = False

    async def start(self) -> None:
        """There is nothing to connect to."""

    async def publish(self, messages: Sequence[Message]) -> None:
        heard = {message.type: consumers_of(message.type, self._groups) for message in messages}
        for group in self._groups:
            heard_by_group = [message for message in messages if group in heard[message.type]]
            if not heard_by_group:
                continue
            subscription = self._subscriptions.get(group)
            if subscription is None:
                if group.partition(".")[0] in self._expected:
                    raise BusUnavailable(f"{group} has not subscribed yet")
                continue
            await self._deliver(subscription, heard_by_group)

    async def _deliver(self, subscription: Subscription, messages: Sequence[Message]) -> None:
        # One delivery per group at a time: relays of several services publish at once, and a group's handlers
        # may rely on not racing themselves within one process.
        async with self._lanes[subscription.group]:
            for start in range(0, len(messages), subscription.batch_size):
                if self._closed:
                    raise BusUnavailable("the bus is closed")
                try:
                    await subscription.receive(messages[start : start + subscription.batch_size])
                except ConsumerUnavailable as error:
                    raise BusUnavailable(f"{subscription.group} can't commit") from error

    async def subscribe(self, subscription: Subscription) -> None:
        self._subscriptions[subscription.group] = subscription
        self._lanes[subscription.group] = asyncio.Lock()

    @property
    def is_ready(self) -> bool:
        return not self._closed

    async def close(self) -> None:
        self._closed = True
        for lane in self._lanes.values():
            async with lane:
                pass
