"""The bus as services see it: messages go out to whoever hears their type, and come in once they are committed.

Two implementations keep one promise, proven by one conformance test case: `amqp` (RabbitMQ) and `inprocess`.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """A CloudEvent on its way: `headers` are its attributes by name, `body` its data as JSON.

    `deliveries` counts earlier deliveries to this consumer that were never acknowledged.
    """

    id: str
    type: str
    headers: Mapping[str, str]
    body: bytes
    deliveries: int = field(default=0, compare=False)

    @property
    def partition_key(self) -> str:
        return self.headers.get("partitionkey") or self.headers.get("subject") or self.id


Receive = Callable[[Sequence[Message]], Awaitable[None]]
"""Takes messages in order and returns when the effect of each is committed. Raises `ReceiverAway` to get them later."""


class ReceiverAway(Exception):
    """The receiver can't commit anything at the moment; its messages are to be kept and delivered again."""


class BusAway(Exception):
    """The bus did not take the messages; the sender keeps them and tries again."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A consumer group's place on the bus.

    Messages of one partition key stay in one of `lanes`, so that concurrency keeps their order; at most `batch_size`
    are received at once. `wait_until_able` returns when the receiver can commit again.
    """

    group: str
    receive: Receive
    wait_until_able: Callable[[], Coroutine[Any, Any, None]]
    lanes: int = 4
    batch_size: int = 50


class Bus(Protocol):
    async def start(self) -> None:
        """Begin to connect, and stay connected until `close`; returns at once."""

    async def publish(self, messages: Sequence[Message]) -> None:
        """Returns when every message is safe with each group that hears it. Raises BusAway otherwise;
        some may then have been delivered, and will be again."""

    async def subscribe(self, subscription: Subscription) -> None:
        """Start to deliver the group's messages, and go on through every failure until `close`."""

    @property
    def is_ready(self) -> bool:
        """True while messages flow in both directions."""

    async def close(self) -> None:
        """Take no more messages, let those at work finish, and disconnect."""
