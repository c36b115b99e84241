"""Message bus interface: `publish` routes events by type to the subscribed consumer groups.

Two implementations, `amqp` (RabbitMQ) and `inprocess`, pass the same conformance tests (tests/bus/test_conformance.py).
"""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from stockbuddy.chassis.messaging.chunks import Chunk
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.runtime.failures import DependencyUnavailable

Receive = Callable[[Sequence[Message]], Awaitable[None]]
"""Receives messages in order; returns when the effect of each is committed. Raises `ConsumerUnavailable` to have them
delivered later."""


class ConsumerUnavailable(DependencyUnavailable):
    """The consumer can't commit at the moment; the bus keeps its messages and delivers them again."""

    dependency = "consumer"


class BusUnavailable(DependencyUnavailable):
    """The bus did not confirm the messages; the publisher keeps them and retries."""

    dependency = "broker"


class EventRefused(Exception):
    """The bus can never accept one of the published events, for instance because it is too large. It may have accepted
    others of the batch."""


class EventTooLarge(Exception):
    """The change is too large: its event would exceed the limit of the outbox. Split it, for instance into several
    documents."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A consumer group's queue and its receiver.

    Messages with the same partition key stay in one of `lanes`, so that concurrency preserves their order; at most
    `batch_size` are received at once. `wait_until_ready` returns when the receiver can commit again.
    """

    group: str
    receive: Receive
    wait_until_ready: Callable[[], Coroutine[Any, Any, None]]
    lanes: int = 4
    batch_size: int = 50


PublishExternally = Callable[[Sequence[Message]], Awaitable[None]]
"""Publishes events to consumers outside the system, each as a message of its own. Raises as `Bus.publish` does."""


class Bus(Protocol):
    async def start(self) -> None:
        """Connect in the background, and reconnect until `close`; returns at once."""

    async def publish(self, chunks: Sequence[Chunk]) -> None:
        """Return when every subscribed queue has stored its events. Raises BusUnavailable or EventRefused otherwise;
        some may have been delivered by then, and are delivered again."""

    @property
    def publish_externally(self) -> PublishExternally | None:
        """None if consumers outside the system cannot reach this bus."""

    async def subscribe(self, subscription: Subscription) -> None:
        """Deliver the group's messages, through every failure, until `close`."""

    @property
    def is_ready(self) -> bool:
        """True while messages flow in both directions."""

    async def close(self) -> None:
        """Receive no more messages, finish those in progress, and disconnect."""
