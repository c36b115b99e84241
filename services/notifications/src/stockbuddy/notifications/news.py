"""Tells what works beside the requests in this process that a transaction of this process has left it something to do.

In other processes they find out by looking; here they need not wait for that.
"""

from collections.abc import Callable
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from stockbuddy.chassis.postgres.database import Database

_listeners: WeakKeyDictionary[Engine, list[Callable[[], None]]] = WeakKeyDictionary()
"""By engine, because one process may run several services or, in tests, one service several times."""


def on_news(database: Database, listener: Callable[[], None]) -> None:
    _listeners.setdefault(database.engine.sync_engine, []).append(listener)


def announce_after_commit(session: AsyncSession) -> None:
    """Call the listeners once `session` has committed, and never if it does not."""
    if session.info.setdefault("news", False):
        return
    session.info["news"] = True
    bind = session.sync_session.get_bind()
    engine = bind.engine if isinstance(bind, Connection) else bind

    def announce(_: Session) -> None:
        for listener in _listeners.get(engine, ()):
            listener()

    event.listen(session.sync_session, "after_commit", announce, once=True)
