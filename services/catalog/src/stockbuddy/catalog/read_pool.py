"""Connections for the hot reads: the driver's own, prepared statements, no session and no transaction around them.

Handing out a connection here costs a hundredth of what a session costs, and a list is read in one round trip.
"""

import asyncio
from collections import deque
from typing import Any

import asyncpg

from stockbuddy.chassis.postgres.database import STATEMENT_SECONDS
from stockbuddy.chassis.postgres.database import ACQUIRE_TIMEOUT_SECONDS
from stockbuddy.chassis.http.errors import Unavailable


class Readers:
    """At most `size` connections, opened when needed; the one used last is used next, and whoever waits longest is
    given it first."""

    def __init__(self, url: str, schema: str, *, size: int) -> None:
        self._url = url.replace("postgresql+asyncpg://", "postgresql://", 1)
        self._schema = schema
        self._size = size
        self._opened = 0
        self._idle: list[asyncpg.Connection] = []
        self._waiting: deque[asyncio.Future[asyncpg.Connection | None]] = deque()

    async def fetch(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        connection = await self._take()
        try:
            found: list[asyncpg.Record] = await connection.fetch(statement, *arguments)
            return found
        finally:
            self._give_back(connection)

    async def _take(self) -> asyncpg.Connection:
        """Raises Unavailable when the database can't be reached, or all connections stay in use."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
            self._opened -= 1
        if self._opened < self._size:
            self._opened += 1
            return await self._open()
        turn: asyncio.Future[asyncpg.Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(ACQUIRE_TIMEOUT_SECONDS):
                given = await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._hand_on(turn.result())
            if isinstance(error, TimeoutError):
                raise Unavailable("Too many requests are being answered at the moment.") from error
            raise
        return given or await self._open()

    async def _open(self) -> asyncpg.Connection:
        """Fill a place that is counted already; it goes to the next in the queue if that fails."""
        try:
            return await asyncpg.connect(
                self._url,
                timeout=ACQUIRE_TIMEOUT_SECONDS,
                command_timeout=STATEMENT_SECONDS,
                server_settings={
                    "search_path": self._schema,
                    "timezone": "UTC",
                    "jit": "off",
                    "application_name": f"{self._schema} readers",
                    # What is sought is not known when a plan is made; an index is always the safer guess.
                    "enable_seqscan": "off",
                },
            )
        except BaseException as error:
            self._hand_on(None)
            if isinstance(error, (OSError, TimeoutError, asyncpg.PostgresError)):
                raise Unavailable("The database can't be reached at the moment.") from error
            raise

    def _give_back(self, connection: asyncpg.Connection) -> None:
        self._hand_on(None if connection.is_closed() else connection)

    def _hand_on(self, connection: asyncpg.Connection | None) -> None:
        """Give a connection, or the place of one that is gone, to whoever waits longest."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                return turn.set_result(connection)
        if connection is None:
            self._opened -= 1
        else:
            self._idle.append(connection)

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().close()
