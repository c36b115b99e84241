"""Event handlers of a service and the consumer groups they belong to."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.event_context import EventContext, event_context
from stockbuddy.contracts.event import Event
from stockbuddy.contracts.topology import matches

E_ = TypeVar("E_", bound=Event)
Handler = Callable[[AsyncSession, Sequence[Message]], Awaitable[None]]
"""Applies messages, in order, within the session's transaction. All are of one type unless the handler is registered
for several."""
RepeatableHandler = Callable[[Database, Sequence[Message]], Awaitable[bool]]
"""Applies a whole delivery and commits, or returns False without an effect. Applied twice, it has no second effect."""


class PredecessorMissing(Exception):
    """The message builds on an event that has not arrived yet: retry when another one with its partition key has."""


class PermanentFailure(Exception):
    """The message can never be handled, however often it is retried."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """A consumer group: its queue and its handlers by event type or pattern. Messages with the same partition key stay
    in one of `lanes`, which run concurrently; at most `batch_size` messages are handled in one transaction.

    `repeatable`, if there is one, is tried first and needs no inbox rows. If it fails, `handlers` handle the messages,
    so that each is retried or set aside by itself. None of the group's handlers may raise PredecessorMissing.
    """

    group: str
    handlers: Mapping[str, Handler]
    lanes: int = 4
    batch_size: int = 50
    repeatable: RepeatableHandler | None = None

    def handler_for(self, event_type: str) -> Handler | None:
        exact = self.handlers.get(event_type)
        if exact is not None:
            return exact
        return next((h for pattern, h in self.handlers.items() if matches(pattern, event_type)), None)


def each(event_type: type[E_], handle: Callable[[AsyncSession, E_], Awaitable[None]]) -> Handler:
    """A handler for one event at a time, run in the context of the event's cause."""

    async def handle_each(session: AsyncSession, messages: Sequence[Message]) -> None:
        for message in messages:
            event = decode(event_type, message)
            with event_context(event_context_of(message)):
                await handle(session, event)

    return handle_each


def batch(event_type: type[E_], handle: Callable[[AsyncSession, Sequence[E_]], Awaitable[None]]) -> Handler:
    """A handler for a sequence of events."""

    async def handle_batch(session: AsyncSession, messages: Sequence[Message]) -> None:
        await handle(session, [decode(event_type, message) for message in messages])

    return handle_batch


def decode(event_type: type[E_], message: Message) -> E_:
    """Raises PermanentFailure if the body does not match the event's schema."""
    try:
        return event_type.model_validate_json(message.body)
    except ValidationError as error:
        raise PermanentFailure(f"not a {message.type}: {error}") from error


def event_context_of(message: Message) -> EventContext:
    """The context in the message's CloudEvents extension attributes."""
    actor = message.headers.get("actorid")
    return EventContext(
        actor_id=int(actor) if actor else None,
        actor_name=message.headers.get("actorname"),
        client_ip=message.headers.get("clientip"),
        request_id=message.headers.get("requestid"),
        traceparent=message.headers.get("traceparent"),
    )
