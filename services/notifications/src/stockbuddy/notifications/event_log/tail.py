"""The live end of the log in one process: one reader for everybody here who waits for news, however many they are.

It is woken by appends of this process, and otherwise looks for those of others as long as somebody waits. The latest
events are kept once for all; a listener that falls behind them reads from the log itself.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.failures import is_connection_error
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.notifications.event_log import queries
from stockbuddy.notifications.event_log.live_event import LiveEvent
from stockbuddy.notifications.news import on_news

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.05
AWAY_SECONDS = 1.0
READ_AT_ONCE = 500
KEPT_EVENTS = 2000
CATCHING_UP_AT_ONCE = 5
"""Listeners that may query the database at a time: after a restart all come back together, and others have requests."""
KEPT_ENDINGS = 10_000


class Feed:
    """Run it beside the requests; `listen` to it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.listeners = 0
        self._recent: list[LiveEvent] = []
        self._endings: OrderedDict[str, int] = OrderedDict()
        self._wanted = asyncio.Event()
        self._running = asyncio.Event()
        self._appended = asyncio.Event()
        self._advanced = asyncio.Event()
        self._turns = asyncio.Semaphore(CATCHING_UP_AT_ONCE)
        self.position = 0
        self.is_closed = False
        on_news(database, self._appended.set)

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[None]:
        """While the block lasts, `position` follows the log."""
        self.listeners += 1
        self._wanted.set()
        try:
            await self._running.wait()
            yield
        finally:
            self.listeners -= 1

    async def beyond(self, position: int) -> None:
        """Returns once the log goes beyond `position`, or the feed is closed. For listeners."""
        while self.position <= position and not self.is_closed:
            await self._advanced.wait()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session for a listener, when it is its turn."""
        async with self._turns, self._database.reading() as session:
            yield session

    def after(self, position: int, most: int) -> Sequence[LiveEvent] | None:
        """The next events behind a position, or None if they are not at hand."""
        first = self.position - len(self._recent)
        return self._recent[position - first :][:most] if position >= first else None

    def close(self) -> None:
        """The process is about to end, and so is whoever listens."""
        self.is_closed = True
        self._advanced.set()

    def has_ended(self, caller: Principal, since: int) -> bool:
        """True if the session is over, or the user is no longer what the token says, by an event behind `since`.
        The session of an API key's tokens is called `key:5`, or `key:5.2` once its rights have changed."""
        key = caller.session_id.removeprefix("key:").partition(".")[0]
        endings = (f"session/{caller.session_id}", f"user/{caller.user_id}", f"key/{key}")
        return any(self._endings.get(ending, 0) > since for ending in endings)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                if not self.listeners:
                    await self._rest()
                if not self._running.is_set():
                    await self._begin()
                await self._read()
            except Exception as error:
                if not is_connection_error(error):
                    raise
                log.warning("feed.database_away", error=repr(error))
                await asyncio.sleep(AWAY_SECONDS)

    async def _rest(self) -> None:
        """Until somebody listens."""
        self._running.clear()
        self._wanted.clear()
        await self._wanted.wait()

    async def _begin(self) -> None:
        """Go on at the end of the log as it is now."""
        async with self._database.reading() as session:
            position = await queries.head_position(session)
        self._recent.clear()
        self.position = position
        self._running.set()

    async def _read(self) -> None:
        self._appended.clear()
        async with self._database.reading() as session:
            events = await queries.read_after(session, self.position, READ_AT_ONCE)
        if events:
            self._add([LiveEvent(event) for event in events])
        if len(events) < READ_AT_ONCE:
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._appended.wait()
            except TimeoutError:
                pass

    def _add(self, events: Sequence[LiveEvent]) -> None:
        self._recent.extend(events)
        if len(self._recent) > 2 * KEPT_EVENTS:
            del self._recent[:-KEPT_EVENTS]
        for event in events:
            if (ending := event.ended) is not None:
                self._endings[ending] = event.position
                self._endings.move_to_end(ending)
        while len(self._endings) > KEPT_ENDINGS:
            self._endings.popitem(last=False)
        self.position = events[-1].position
        advanced, self._advanced = self._advanced, asyncio.Event()
        advanced.set()
