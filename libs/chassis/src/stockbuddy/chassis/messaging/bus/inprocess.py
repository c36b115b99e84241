"""The bus within one process. As durable as a broker: a message leaves its producer's outbox only when every subscribed
group has committed it."""

import asyncio
from collections.abc import Mapping, Sequence

from stockbuddy.chassis.messaging.bus import BusUnavailable, ConsumerUnavailable, PublishExternally, Subscription
from stockbuddy.chassis.messaging.chunks import Chunk
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.contracts.topology import CONSUMER_GROUPS, types_for

SUBSCRIPTION_TIMEOUT_SECONDS = 5.0
"""The services of one process start one after another, in less time."""
_Delivery = tuple[Subscription, Sequence[Message]]


class InProcessBus:
    """Delivers to the subscribed groups. `publish` waits until every group of the `expected_services` that receives
    its messages has subscribed, and fails after SUBSCRIPTION_TIMEOUT_SECONDS, so that they stay in the outbox."""

    def __init__(
        self,
        expected_services: frozenset[str] = frozenset(),
        groups: Mapping[str, tuple[str, ...]] = CONSUMER_GROUPS,
    ) -> None:
        self._expected = expected_services
        self._groups = groups
        self._subscriptions: dict[str, Subscription] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._subscribed = asyncio.Condition()
        self._closed = False

    async def start(self) -> None:
        """Does nothing: there is no connection."""

    @property
    def publish_externally(self) -> PublishExternally | None:
        return None

    async def publish(self, chunks: Sequence[Chunk]) -> None:
        messages = [message for chunk in chunks for message in chunk.messages()]
        published = {message.type for message in messages}
        routes = {group: types_for(patterns, published) for group, patterns in self._groups.items()}
        await self._until_subscribed([group for group, types in routes.items() if types])
        by_service: dict[str, list[_Delivery]] = {}
        for group, types in routes.items():
            routed = [message for message in messages if message.type in types]
            if routed and (subscription := self._subscriptions.get(group)) is not None:
                by_service.setdefault(_service_of(group), []).append((subscription, routed))
        # While PostgreSQL stores what one service has handled, another one handles its messages.
        outcomes = await asyncio.gather(*map(self._deliver_all, by_service.values()), return_exceptions=True)
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

    async def _until_subscribed(self, groups: Sequence[str]) -> None:
        expected = {group for group in groups if _service_of(group) in self._expected}
        if expected <= self._subscriptions.keys():
            return
        try:
            async with asyncio.timeout(SUBSCRIPTION_TIMEOUT_SECONDS), self._subscribed:
                await self._subscribed.wait_for(lambda: expected <= self._subscriptions.keys())
        except TimeoutError as error:
            missing = ", ".join(sorted(expected - self._subscriptions.keys()))
            raise BusUnavailable(f"not subscribed yet: {missing}") from error

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
        async with self._subscribed:
            self._subscribed.notify_all()

    @property
    def is_ready(self) -> bool:
        return not self._closed

    async def close(self) -> None:
        self._closed = True
        for lock in self._locks.values():
            async with lock:
                pass


def _service_of(group: str) -> str:
    return group.partition(".")[0]
