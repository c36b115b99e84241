"""Connections for lists and look-ups: asyncpg's own, without a session or a transaction around a statement.

A read costs less processor time than through `asyncpg.Pool` (ADR 10) and is one round trip with a prepared statement.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg

from stockbuddy.chassis.http.errors import Unavailable
from stockbuddy.chassis.postgres.connections import ACQUIRE_TIMEOUT_SECONDS, is_interrupted, serving_connections
from stockbuddy.chassis.postgres.pool import PeakUse
from stockbuddy.chassis.runtime.failures import DependencyUnavailable
from stockbuddy.chassis.runtime.pooler import Pooler


class ReadPool:
    """At most `size` connections, opened when needed, and assigned in the order of the requests; the one used last is
    used next. A connection is closed on return if more are open than were recently in use at once. Connections are not
    reset, so statements must not set session state."""

    def __init__(
        self,
        url: str,
        schema: str,
        *,
        size: int,
        pooler: Pooler | None = None,
        connect_timeout_seconds: float = ACQUIRE_TIMEOUT_SECONDS,
    ) -> None:
        # Generic plans can't see the search terms; an index is always the safer choice. Through a pooler, statements
        # are not kept, so that PostgreSQL plans each one for its terms.
        settings = {"application_name": f"{schema} read pool", "enable_seqscan": "off"}
        pooler = None if pooler is None else replace(pooler, keeps_statements=False)
        self._connect = serving_connections(
            url, schema, pooler=pooler, settings=settings, timeout_seconds=connect_timeout_seconds
        )
        self._slots = asyncio.Semaphore(size)
        self._idle: list[asyncpg.Connection] = []
        self._in_use = 0
        self._use = PeakUse()

    async def fetch(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """Raises Unavailable if the database can't be reached, or if no connection becomes free in time."""
        connection = await self._take()
        try:
            rows: list[asyncpg.Record] = await connection.fetch(statement, *arguments)
            return rows
        finally:
            self._return(connection)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection for several statements. Raises Unavailable, see `fetch`."""
        connection = await self._take()
        try:
            yield connection
        finally:
            self._return(connection)

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().close()

    async def _take(self) -> asyncpg.Connection:
        await self._acquire_slot()
        self._in_use += 1
        self._use.record(self._in_use)
        try:
            return self._pop_idle() or await self._open()
        except BaseException:
            self._release_slot()
            raise

    async def _acquire_slot(self) -> None:
        try:
            # A timer only if there is a queue: it would add a tenth to the cost of a read.
            async with asyncio.timeout(ACQUIRE_TIMEOUT_SECONDS if self._slots.locked() else None):
                await self._slots.acquire()
        except TimeoutError as error:
            raise Unavailable("Too many requests are in progress.") from error

    def _return(self, connection: asyncpg.Connection) -> None:
        if self._use.is_exceeded(len(self._idle) + self._in_use):
            connection.terminate()  # in autocommit, between statements: nothing is lost, and nothing is awaited
        else:
            self._idle.append(connection)
        self._release_slot()

    def _release_slot(self) -> None:
        self._in_use -= 1
        self._slots.release()

    def _pop_idle(self) -> asyncpg.Connection | None:
        """The open connection that was used last; lost ones are dropped."""
        while self._idle:
            connection = self._idle.pop()
            if not (connection.is_closed() or is_interrupted(connection)):
                return connection
        return None

    async def _open(self) -> asyncpg.Connection:
        try:
            return await self._connect()
        except (OSError, TimeoutError, asyncpg.PostgresError, DependencyUnavailable) as error:
            raise Unavailable("The database is unavailable.") from error
