"""Tells this process' readers of the log that a transaction of this process has appended to it.

Readers in other processes find out by looking; these need not wait for that.
"""

from collections.abc import Callable
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

_listeners: WeakKeyDictionary[Engine, list[Callable[[], None]]] = WeakKeyDictionary()
"""By engine, because one process may run several services or, in tests, one service several times."""


def on_append(engine: Engine, listener: Callable[[], None]) -> None:
    _listeners.setdefault(engine, []).append(listener)


def announce_after_commit(session: AsyncSession) -> None:
    """Call the listeners once `session` has committed, and never if it does not."""
    bind = session.sync_session.get_bind()
    engine = bind.engine if isinstance(bind, Connection) else bind
    listeners = _listeners.get(engine, [])

    def announce(_: Session) -> None:
        for listener in listeners:
            listener()

    event.listen(session.sync_session, "after_commit", announce, once=True)
