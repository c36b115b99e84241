"""A connection pool that closes connections it no longer needs. A connection takes 3 to 6 MB in PostgreSQL, and
SQLAlchemy's own pools keep those that a burst has opened as long as the process runs."""

import time
from typing import Any, ClassVar

from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

WINDOW_SECONDS = 30.0


class PeakUse:
    """The most connections in use at once within the current window and the one before it."""

    def __init__(self, window_seconds: float = WINDOW_SECONDS) -> None:
        self._window_seconds = window_seconds
        self._window_ends_at = 0.0
        self._peak = self._previous_peak = 0

    def record(self, in_use: int) -> None:
        """Record the number of connections in use; to be called whenever one is taken."""
        now = time.monotonic()
        if now >= self._window_ends_at:
            is_adjacent = now < self._window_ends_at + self._window_seconds
            self._previous_peak, self._peak = self._peak if is_adjacent else 0, 0
            self._window_ends_at = now + self._window_seconds
        self._peak = max(self._peak, in_use)

    def is_exceeded(self, open_connections: int) -> bool:
        """Whether a connection that is returned should be closed."""
        return open_connections > max(self._peak, self._previous_peak)


class ShrinkingPool(AsyncAdaptedQueuePool):
    """Keeps as many connections as were recently in use at once, at most `pool_size`. The one used last is used next,
    because PostgreSQL's caches of that connection are warm."""

    window_seconds: ClassVar = WINDOW_SECONDS

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **(options | {"use_lifo": True}))
        self._use = PeakUse(self.window_seconds)

    def _do_get(self) -> ConnectionPoolEntry:
        entry = super()._do_get()
        self._use.record(self.checkedout())
        return entry

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        if not self._use.is_exceeded(self.checkedin() + self.checkedout()):
            super()._do_return_conn(record)
            return
        # Not `record.close()`, which awaits: a connection is also returned by a task that is destroyed with its loop.
        if record.driver_connection is not None:
            record.driver_connection.terminate()
        self._dec_overflow()
