"""CloudEvents AMQP binding, binary mode: attributes as headers `cloudEvents_<name>`, data as the body."""

import re
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from aio_pika import DeliveryMode
from aio_pika import Message as AmqpMessage
from aio_pika.abc import AbstractIncomingMessage

from stockbuddy.chassis.messaging.bus import Message
from stockbuddy.contracts.auth import AccessDenied
from stockbuddy.contracts.topology import refill_key

PREFIX = "cloudEvents_"
CONTENT_TYPE = "application/json"
MAX_ATTRIBUTE_LENGTH = 4096
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)
"""Fits into bigint."""
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
    """Raises ValueError if the message is not a CloudEvent that can be stored, or if its publisher may not publish its
    type. Such a message can never be handled, so it must not reach a handler."""
    headers = {
        name.removeprefix(PREFIX): str(value) for name, value in incoming.headers.items() if name.startswith(PREFIX)
    }
    event_id, event_type = headers.get("id", ""), headers.get("type", "")
    _validate(event_id, event_type, headers)
    if not _is_allowed_source(incoming.routing_key or "", event_type, queue):
        raise ValueError("the publisher does not own this event type")
    deliveries = incoming.headers.get("x-delivery-count", 0)
    return Message(
        id=event_id,
        type=event_type,
        headers={**headers, "datacontenttype": incoming.content_type or CONTENT_TYPE},
        body=incoming.body,
        deliveries=deliveries if isinstance(deliveries, int) else 0,
    )


def _validate(event_id: str, event_type: str, headers: Mapping[str, str]) -> None:
    """The inbox stores these values: the id as uuid, the others as text, which can't contain NUL."""
    if not event_id or not event_type or not headers.get("source"):
        raise ValueError("CloudEvents attributes are missing")
    if str(UUID(event_id)) != event_id.lower():
        raise ValueError("the id is not a UUID in its standard form")
    for name, value in headers.items():
        if len(value) > MAX_ATTRIBUTE_LENGTH or "\0" in value:
            raise ValueError(f"the attribute {name} is too long or contains NUL")
    if "time" in headers and datetime.fromisoformat(headers["time"]).tzinfo is None:
        raise ValueError("the time has no offset")
    for name in ("actorid", "sequence"):
        if not _NUMBER.fullmatch(headers.get(name, "0")):
            raise ValueError(f"the attribute {name} is not a number")


def _is_allowed_source(routing_key: str, event_type: str, queue: str) -> bool:
    """Broker permissions restrict a service to its own routing keys, so the key identifies the publisher. It must be
    the event's type; or the name of the queue, if an operator moves a message back from a dead-letter queue; or the
    refill key of the producer, which may replay its own types and AccessDenied."""
    if routing_key in (event_type, queue):
        return True
    producer = event_type.partition(".")[0]
    if event_type == AccessDenied.type:
        producer = routing_key.partition(".")[0]
    return routing_key == refill_key(producer, queue)
