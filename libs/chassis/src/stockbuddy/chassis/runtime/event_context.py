"""The cause of a change: carried from the request into logs, ledger rows and the attributes of events."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class EventContext:
    """The acting user (or API key's owner), the client's address, and the request's ids. `event_ids`: of the last event
    written in each outbox shard, shared by the copies of a context."""

    actor_id: int | None = None
    actor_name: str | None = None
    client_ip: str | None = None
    request_id: str | None = None
    traceparent: str | None = None
    event_ids: dict[int, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def consistency_token(self) -> str:
        """Names the events written so far (docs/adr/0017): a log that has these has all of them, since a shard keeps
        its order. Empty without events."""
        return ",".join(self.event_ids.values())


_NONE = EventContext()
_current: ContextVar[EventContext] = ContextVar("event_context", default=_NONE)


def current_event_context() -> EventContext:
    return _current.get()


@contextmanager
def event_context(context: EventContext) -> Iterator[None]:
    """Run a block in `context`: its events carry the context's attributes."""
    token = _current.set(context)
    try:
        yield
    finally:
        _current.reset(token)


def set_actor(actor_id: int, actor_name: str) -> None:
    """Set the actor of the current context, after the caller's token has been verified."""
    context = _current.get()
    if (context.actor_id, context.actor_name) != (actor_id, actor_name):
        _current.set(replace(context, actor_id=actor_id, actor_name=actor_name))
