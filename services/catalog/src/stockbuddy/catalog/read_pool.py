"""Connections for lists and look-ups: asyncpg's pool, without a session or a transaction around a statement.

Each read is one round trip with a prepared statement; see ADR 9 for the measurements.
"""

import asyncio
from typing import Any, Self

import asyncpg

from stockbuddy.chassis.http.errors import Unavailable
from stockbuddy.chassis.postgres.database import ACQUIRE_TIMEOUT_SECONDS, STATEMENT_TIMEOUT_SECONDS


class ReadPool:
    """At most `size` connections, opened when needed and assigned in the order of the requests."""

    def __init__(self, url: str, schema: str, *, size: int) -> None:
        self._pool = asyncpg.create_pool(
            url.replace("postgresql+asyncpg://", "postgresql://", 1),
            min_size=0,
            max_size=size,
            # Keep idle connections: a new one has to prepare every statement again.
            max_inactive_connection_lifetime=0,
            reset=_keep_session_state,
            timeout=ACQUIRE_TIMEOUT_SECONDS,
            command_timeout=STATEMENT_TIMEOUT_SECONDS,
            server_settings={
                "search_path": schema,
                "timezone": "UTC",
                "jit": "off",
                "application_name": f"{schema} read pool",
                # A generic plan can't see the search terms; an index is always the safer choice.
                "enable_seqscan": "off",
            },
        )
        # The pool alone is not fair: a task that releases a connection can acquire it again before waiting tasks.
        self._slots = asyncio.Semaphore(size)

    async def __aenter__(self) -> Self:
        await self._pool
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pool.close()

    async def fetch(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """Raises Unavailable if the database can't be reached, or if no connection becomes free in time."""
        try:
            async with asyncio.timeout(ACQUIRE_TIMEOUT_SECONDS):
                await self._slots.acquire()
        except TimeoutError as error:
            raise Unavailable("Too many requests are in progress.") from error
        try:
            connection = await self._connect()
            try:
                rows: list[asyncpg.Record] = await connection.fetch(statement, *arguments)
                return rows
            finally:
                await self._pool.release(connection)
        finally:
            self._slots.release()

    async def _connect(self) -> Any:
        try:
            return await self._pool.acquire()
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise Unavailable("The database is unavailable.") from error


async def _keep_session_state(_: asyncpg.Connection) -> None:
    """Replaces the pool's RESET statements, a round trip per release: reads leave no session state behind."""
