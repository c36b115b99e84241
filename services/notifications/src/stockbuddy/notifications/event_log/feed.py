"""The live end of the log in one process: one reader for everybody here who waits for news.

It is woken by appends of this process, and otherwise looks for those of others as long as somebody waits.
"""

import asyncio
from typing import Self

import structlog

from stockbuddy.chassis.database import Database, is_database_away
from stockbuddy.notifications.event_log import queries, signals

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.05
AWAY_SECONDS = 1.0


class Feed:
    """Open it, run it beside the requests, and await `beyond`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._position = 0
        self._waiting = 0
        self._wanted = asyncio.Event()
        self._appended = asyncio.Event()
        self._advanced = asyncio.Event()

    def __enter__(self) -> Self:
        signals.on_append(self._database.engine.sync_engine, self._appended.set)
        return self

    def __exit__(self, *_: object) -> None:
        self._advanced.set()

    async def beyond(self, position: int) -> None:
        """Returns once the log goes beyond `position`."""
        self._waiting += 1
        self._wanted.set()
        try:
            while self._position <= position:
                await self._advanced.wait()
        finally:
            self._waiting -= 1

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            if not self._waiting:
                self._wanted.clear()
                await self._wanted.wait()
            try:
                await self._look()
            except Exception as error:
                if not is_database_away(error):
                    raise
                log.warning("feed.database_away", error=repr(error))
                await asyncio.sleep(AWAY_SECONDS)
                continue
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._appended.wait()
            except TimeoutError:
                pass

    async def _look(self) -> None:
        self._appended.clear()
        async with self._database.reading() as session:
            position = await queries.head_position(session)
        if position > self._position:
            self._position = position
            advanced, self._advanced = self._advanced, asyncio.Event()
            advanced.set()
