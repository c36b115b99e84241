"""CloudEvents AMQP binding, binary mode: attributes as headers `cloudEvents_<name>`, data as the body."""

from aio_pika import DeliveryMode
from aio_pika import Message as AmqpMessage
from aio_pika.abc import AbstractIncomingMessage

from stockbuddy.chassis.messaging.bus import Message

PREFIX = "cloudEvents_"
CONTENT_TYPE = "application/json"
PROPERTY_ATTRIBUTES = frozenset({"datacontenttype"})
"""Attributes that are AMQP message properties instead of headers."""


def to_amqp(message: Message) -> AmqpMessage:
    return AmqpMessage(
        message.body,
        message_id=message.id,
        type=message.type,
        content_type=CONTENT_TYPE,
        delivery_mode=DeliveryMode.PERSISTENT,
        headers={PREFIX + name: value for name, value in message.headers.items() if name not in PROPERTY_ATTRIBUTES},
    )


def from_amqp(incoming: AbstractIncomingMessage, queue: str) -> Message:
    """Raises ValueError if the message is not a CloudEvent of ours, or if its publisher may not publish this type."""
    headers = {
        name.removeprefix(PREFIX): str(value) for name, value in incoming.headers.items() if name.startswith(PREFIX)
    }
    if not headers.get("id") or not headers.get("type"):
        raise ValueError("CloudEvents attributes are missing")
    if not _is_allowed_source(incoming.routing_key or "", headers["type"], queue):
        raise ValueError("the publisher does not own this event type")
    deliveries = incoming.headers.get("x-delivery-count", 0)
    return Message(
        id=headers["id"],
        type=headers["type"],
        headers={**headers, "datacontenttype": incoming.content_type or CONTENT_TYPE},
        body=incoming.body,
        deliveries=deliveries if isinstance(deliveries, int) else 0,
    )


def _is_allowed_source(routing_key: str, event_type: str, queue: str) -> bool:
    """Broker permissions restrict a service to its own routing keys, so the key identifies the publisher. An operator
    who moves messages back from a dead-letter queue publishes to the queue directly, with its name as the key."""
    return routing_key == queue or routing_key.partition(".")[0] == event_type.partition(".")[0]
