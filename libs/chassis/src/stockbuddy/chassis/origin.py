"""Who and what a piece of work comes from: carried from the request into logs, ledger rows and events."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Origin:
    """The cause of a change: the acting user (or API key's owner), their address, and the request's ids."""

    actor_id: int | None = None
    actor_name: str | None = None
    client_ip: str | None = None
    request_id: str | None = None
    traceparent: str | None = None


_current: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039 - Origin is immutable


def current_origin() -> Origin:
    return _current.get()


@contextmanager
def originating(origin: Origin) -> Iterator[None]:
    """Run a block as caused by `origin`."""
    token = _current.set(origin)
    try:
        yield
    finally:
        _current.reset(token)


def set_actor(actor_id: int, actor_name: str) -> None:
    """Name the actor once the caller's token has been verified; the rest of the origin stays."""
    _current.set(replace(_current.get(), actor_id=actor_id, actor_name=actor_name))
