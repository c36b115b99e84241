"""Events as AMQP messages, in the modes of the CloudEvents binding: a batch of events between services, and one event
in binary mode (attributes as headers `cloudEvents_<name>`, data as the body) for everyone else."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import uuid_utils
from aio_pika import DeliveryMode
from aio_pika import Message as AmqpMessage
from aio_pika.abc import AbstractIncomingMessage

from stockbuddy.chassis.messaging.chunks import BATCH_CONTENT_TYPE, Chunk, events_of, to_message
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.contracts.auth import AccessDenied
from stockbuddy.contracts.topology import REPLAY_REQUESTED, internal_key

PREFIX = "cloudEvents_"
CONTENT_TYPE = "application/json"
BATCH_TYPE = "stockbuddy.chunk"
"""The AMQP type of a message that contains a chunk."""
MAX_ATTRIBUTE_LENGTH = 4096
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)
"""Fits into bigint."""
PROPERTY_ATTRIBUTES = frozenset({"datacontenttype"})
"""Attributes that are AMQP message properties instead of headers."""


def to_batch(chunk: Chunk) -> Message:
    """The chunk as one message."""
    return Message(str(uuid_utils.uuid7()), BATCH_TYPE, {"datacontenttype": BATCH_CONTENT_TYPE}, chunk.body.encode())


def content_type(message: Message) -> str:
    return message.headers.get("datacontenttype", CONTENT_TYPE)


def to_amqp(message: Message) -> AmqpMessage:
    return AmqpMessage(
        message.body,
        message_id=message.id,
        type=message.type,
        content_type=content_type(message),
        delivery_mode=DeliveryMode.PERSISTENT,
        headers={PREFIX + name: value for name, value in message.headers.items() if name not in PROPERTY_ATTRIBUTES},
    )


@dataclass(frozen=True, slots=True)
class ReceivedEvents:
    """What a message contains: its events, and as JSON those that can never be handled, each with the reason."""

    messages: Sequence[Message]
    unusable: Sequence[tuple[str, ValueError]] = ()


def from_amqp(incoming: AbstractIncomingMessage, queue: str) -> ReceivedEvents:
    """An event is usable if it is a CloudEvent that can be stored and its publisher may publish its type. Raises
    ValueError if the whole message is unusable."""
    if incoming.content_type != BATCH_CONTENT_TYPE:
        return ReceivedEvents([_from_binary_mode(incoming, queue)])
    messages: list[Message] = []
    unusable: list[tuple[str, ValueError]] = []
    deliveries = _deliveries(incoming)
    for event in events_of(incoming.body.decode()):
        try:
            message = to_message(event, deliveries)
            _validate(message.id, message.type, message.headers)
            _require_allowed(incoming.routing_key or "", message.type, queue)
            messages.append(message)
        except ValueError as error:
            unusable.append((event, error))
    return ReceivedEvents(messages, unusable)


def _from_binary_mode(incoming: AbstractIncomingMessage, queue: str) -> Message:
    headers = {
        name.removeprefix(PREFIX): str(value) for name, value in incoming.headers.items() if name.startswith(PREFIX)
    }
    event_id, event_type = headers.get("id", ""), headers.get("type", "")
    _validate(event_id, event_type, headers)
    _require_allowed(incoming.routing_key or "", event_type, queue)
    return Message(
        id=event_id,
        type=event_type,
        headers={**headers, "datacontenttype": incoming.content_type or CONTENT_TYPE},
        body=incoming.body,
        deliveries=_deliveries(incoming),
    )


def _deliveries(incoming: AbstractIncomingMessage) -> int:
    deliveries = incoming.headers.get("x-delivery-count", 0)
    return deliveries if isinstance(deliveries, int) else 0


def _validate(event_id: str, event_type: str, headers: Mapping[str, str]) -> None:
    """The inbox stores these values: the id as uuid, the others as text, which can't contain NUL."""
    if not all(isinstance(value, str) for value in headers.values()):
        raise ValueError("a CloudEvents attribute is not a text")
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


def _require_allowed(routing_key: str, event_type: str, queue: str) -> None:
    """Broker permissions restrict a service to its own routing keys, so the key names the publisher, which may publish
    its own types and AccessDenied; or it is the name of the queue, if an operator moves a message back from a
    dead-letter queue. Raises ValueError."""
    producer = routing_key.partition(".")[0] if event_type == AccessDenied.type else event_type.partition(".")[0]
    if routing_key == event_type == REPLAY_REQUESTED:
        return
    if routing_key not in (queue, internal_key(producer, queue)):
        raise ValueError("the publisher does not own this event type")
