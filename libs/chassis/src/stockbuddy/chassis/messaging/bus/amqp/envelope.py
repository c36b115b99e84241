"""CloudEvents in AMQP, binary mode: attributes as headers `cloudEvents_<name>`, the data as the body."""

from aio_pika import DeliveryMode
from aio_pika import Message as AmqpMessage
from aio_pika.abc import AbstractIncomingMessage

from stockbuddy.chassis.messaging.bus import Message

PREFIX = "cloudEvents_"
CONTENT_TYPE = "application/json"
UNSENT = frozenset({"datacontenttype"})
"""Attributes that have a property of the message to themselves."""


def to_amqp(message: Message) -> AmqpMessage:
    return AmqpMessage(
        message.body,
        message_id=message.id,
        type=message.type,
        content_type=CONTENT_TYPE,
        delivery_mode=DeliveryMode.PERSISTENT,
        headers={PREFIX + name: value for name, value in message.headers.items() if name not in UNSENT},
    )


def from_amqp(incoming: AbstractIncomingMessage, queue: str) -> Message:
    """Raises ValueError for what is no event of ours, and for one that its sender may not say."""
    headers = {
        name.removeprefix(PREFIX): str(value) for name, value in incoming.headers.items() if name.startswith(PREFIX)
    }
    if not headers.get("id") or not headers.get("type"):
        raise ValueError("no CloudEvents attributes")
    if not _may_say(incoming.routing_key or "", headers["type"], queue):
        raise ValueError("another service's event")
    deliveries = incoming.headers.get("x-delivery-count", 0)
    return Message(
        id=headers["id"],
        type=headers["type"],
        headers={**headers, "datacontenttype": incoming.content_type or CONTENT_TYPE},
        body=incoming.body,
        deliveries=deliveries if isinstance(deliveries, int) else 0,
    )


def _may_say(routing_key: str, event_type: str, queue: str) -> bool:
    """A broker user may write keys of its own service alone, so the key proves whose event it is. An operator who
    moves messages back from a dead queue writes to the queue itself."""
    return routing_key == queue or routing_key.partition(".")[0] == event_type.partition(".")[0]
