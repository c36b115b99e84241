"""Connections for the hot reads: the driver's own, prepared statements, no session and no transaction around them.

Handing out a connection here costs a hundredth of what a session costs, and a list is read in one round trip.
"""

import asyncio
from collections import deque
from typing import Any

import asyncpg

from stockbuddy.chassis.database import ACQUIRE_SECONDS, STATEMENT_SECONDS
from stockbuddy.chassis.errors import Unavailable


class Readers:
    """At most `size` connections, opened when needed; the one used last is used next."""

    def __init__(self, url: str, schema: str, *, size: int) -> None:
        self._url = url.replace("postgresql+asyncpg://", "postgresql://", 1)
        self._schema = schema
        self._size = size
        self._opened = 0
        self._idle: list[asyncpg.Connection] = []
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def fetch(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        connection = await self._take()
        try:
            found: list[asyncpg.Record] = await connection.fetch(statement, *arguments)
            return found
        finally:
            self._give_back(connection)

    async def _take(self) -> asyncpg.Connection:
        """Raises Unavailable when the database can't be reached."""
        while True:
            while self._idle:
                connection = self._idle.pop()
                if not connection.is_closed():
                    return connection
                self._opened -= 1
            if self._opened < self._size:
                return await self._open()
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                async with asyncio.timeout(ACQUIRE_SECONDS):
                    await turn
            except TimeoutError as error:
                raise Unavailable("Too many requests are being answered at the moment.") from error
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._wake_next()
                raise

    async def _open(self) -> asyncpg.Connection:
        self._opened += 1
        try:
            return await asyncpg.connect(
                self._url,
                timeout=ACQUIRE_SECONDS,
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
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            self._opened -= 1
            self._wake_next()
            raise Unavailable("The database can't be reached at the moment.") from error
        except BaseException:
            self._opened -= 1
            self._wake_next()
            raise

    def _give_back(self, connection: asyncpg.Connection) -> None:
        if connection.is_closed():
            self._opened -= 1
        else:
            self._idle.append(connection)
        self._wake_next()

    def _wake_next(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().close()
