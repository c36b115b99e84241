"""In-process tail of the event log: one database reader shared by all streams of this process.

Appends of this process wake it; appends of other replicas are found by polling while there are subscribers. The latest
events are kept in memory; a subscriber that falls behind them reads from the log itself.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.notifications.event_log import queries
from stockbuddy.notifications.event_log.append import APPENDED
from stockbuddy.notifications.event_log.live_event import LiveEvent

POLL_INTERVAL_SECONDS = 0.05
READ_BATCH_SIZE = 500
KEPT_EVENTS = 2000
MAX_CONCURRENT_CATCH_UPS = 5
"""Limits the connections that subscribers use: after a restart all of them reconnect and catch up at once."""
MAX_KEPT_REVOCATIONS = 10_000


class LogTail:
    """`worker` reads the log while there are subscribers; `position` is how far it has read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.subscribers = 0
        self.position = 0
        self.is_closed = False
        self._recent: list[LiveEvent] = []
        self._revocations: OrderedDict[str, int] = OrderedDict()
        self._subscribed = asyncio.Event()
        self._running = asyncio.Event()
        self._advanced = asyncio.Event()
        self._catch_ups = asyncio.Semaphore(MAX_CONCURRENT_CATCH_UPS)
        self.worker = PollingWorker("notifications.log_tail", self._poll, interval_seconds=POLL_INTERVAL_SECONDS)
        database.on_commit(APPENDED, self.worker.wake)

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[None]:
        """`position` follows the log while the block runs."""
        self.subscribers += 1
        self._subscribed.set()
        try:
            await self._running.wait()
            yield
        finally:
            self.subscribers -= 1

    async def wait_beyond(self, position: int) -> None:
        """Wait until the log grows beyond `position` or the tail is closed. For subscribers."""
        while self.position <= position and not self.is_closed:
            await self._advanced.wait()

    @asynccontextmanager
    async def catch_up_session(self) -> AsyncIterator[AsyncSession]:
        """A session for a subscriber that reads from the log itself."""
        async with self._catch_ups, self._database.reading() as session:
            yield session

    def recent_after(self, position: int, limit: int) -> Sequence[LiveEvent] | None:
        """The next events after a position; None if they are not in memory."""
        first = self.position - len(self._recent)
        return self._recent[position - first :][:limit] if position >= first else None

    def close(self) -> None:
        """End all subscriptions, because the process shuts down."""
        self.is_closed = True
        self._advanced.set()

    def is_revoked(self, caller: Principal, since: int) -> bool:
        """True if an event after `since` revoked the session, the API key or the grant of the app, or changed what the
        user's token contains."""
        credential = caller.credential.replace(":", "/")
        credentials = (f"session/{caller.session_id}", f"user/{caller.user_id}", credential)
        return any(self._revocations.get(credential, 0) > since for credential in credentials)

    async def _poll(self) -> bool:
        if not self.subscribers:
            # Wait within the round: an idle replica does not poll the database.
            self._running.clear()
            self._subscribed.clear()
            await self._subscribed.wait()
        if not self._running.is_set():
            await self._start_at_head()
        async with self._database.reading() as session:
            events = await queries.read_after(session, self.position, READ_BATCH_SIZE)
        if events:
            self._add([LiveEvent(event) for event in events])
        return len(events) == READ_BATCH_SIZE

    async def _start_at_head(self) -> None:
        async with self._database.reading() as session:
            head = await queries.read_head(session)
        self._recent.clear()
        self.position = head.position
        self._running.set()

    def _add(self, events: Sequence[LiveEvent]) -> None:
        self._recent.extend(events)
        if len(self._recent) > 2 * KEPT_EVENTS:
            del self._recent[:-KEPT_EVENTS]
        for event in events:
            if (credential := event.revoked_credential) is not None:
                self._revocations[credential] = event.position
                self._revocations.move_to_end(credential)
        while len(self._revocations) > MAX_KEPT_REVOCATIONS:
            self._revocations.popitem(last=False)
        self.position = events[-1].position
        advanced, self._advanced = self._advanced, asyncio.Event()
        advanced.set()
