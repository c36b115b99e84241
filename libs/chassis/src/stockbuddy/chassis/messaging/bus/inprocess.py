"""The bus within one process. As durable as a broker: a message leaves its producer's outbox only when every subscribed
group has committed it."""

import asyncio
from collections.abc import Mapping, Sequence

from stockbuddy.chassis.messaging.bus import BusUnavailable, ConsumerUnavailable, PublishExternally, Subscription
from stockbuddy.chassis.messaging.chunks import Chunk
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.contracts.topology import CONSUMER_GROUPS, types_for

_Delivery = tuple[Subscription, Sequence[Message]]


class InProcessBus:
    """Delivers to the subscribed groups. `publish` fails while a group of one of the `expected_services` has not
    subscribed yet, so that its messages stay in the outbox."""

    def __init__(
        self,
        expected_services: frozenset[str] = frozenset(),
        groups: Mapping[str, tuple[str, ...]] = CONSUMER_GROUPS,
    ) -> None:
        self._expected = expected_services
        self._groups = groups
        self._subscriptions: dict[str, Subscription] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._closed = False

    async def start(self) -> None:
        """Does nothing: there is no connection."""

    @property
    def publish_externally(self) -> PublishExternally | None:
        return None

    async def publish(self, chunks: Sequence[Chunk]) -> None:
        messages = [message for chunk in chunks for message in chunk.messages()]
        published = {message.type for message in messages}
        by_service: dict[str, list[_Delivery]] = {}
        for group, patterns in self._groups.items():
            types = types_for(patterns, published)
            routed = [message for message in messages if message.type in types]
            if not routed:
                continue
            service = group.partition(".")[0]
            subscription = self._subscriptions.get(group)
            if subscription is not None:
                by_service.setdefault(service, []).append((subscription, routed))
            elif service in self._expected:
                raise BusUnavailable(f"{group} has not subscribed yet")
        # While PostgreSQL stores what one service has handled, another one handles its messages.
        outcomes = await asyncio.gather(*map(self._deliver_all, by_service.values()), return_exceptions=True)
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

    async def _deliver_all(self, deliveries: Sequence[_Delivery]) -> None:
        for subscription, messages in deliveries:
            await self._deliver(subscription, messages)

    async def _deliver(self, subscription: Subscription, messages: Sequence[Message]) -> None:
        # One delivery per group at a time: relays of several services publish concurrently, and a group's handlers must
        # not run concurrently with themselves in one process.
        async with self._locks[subscription.group]:
            for start in range(0, len(messages), subscription.batch_size):
                if self._closed:
                    raise BusUnavailable("the bus is closed")
                try:
                    await subscription.receive(messages[start : start + subscription.batch_size])
                except ConsumerUnavailable as error:
                    raise BusUnavailable(f"{subscription.group} can't commit: {error}") from error

    async def subscribe(self, subscription: Subscription) -> None:
        self._subscriptions[subscription.group] = subscription
        self._locks[subscription.group] = asyncio.Lock()

    @property
    def is_ready(self) -> bool:
        return not self._closed

    async def close(self) -> None:
        self._closed = True
        for lock in self._locks.values():
            async with lock:
                pass
