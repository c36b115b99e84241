"""Lists and look-ups from the catalog's read replica (ADR 37)."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg

from stockbuddy.catalog.read_pool import ReadPool
from stockbuddy.chassis.http.errors import Unavailable
from stockbuddy.chassis.postgres.read_replica import CONNECT_TIMEOUT_SECONDS, ReadReplica
from stockbuddy.chassis.runtime.pooler import Pooler


class ReplicaConnections:
    """Connections to the replica with the settings of the read pool."""

    def __init__(self, replica: ReadReplica, url: str, schema: str, *, size: int, pooler: Pooler | None) -> None:
        self._replica = replica
        self._pool = ReadPool(url, schema, size=size, pooler=pooler, connect_timeout_seconds=CONNECT_TIMEOUT_SECONDS)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection | None]:
        """One connection for all statements of a read, since several standbys may lag differently. None if the primary
        has to serve the current request."""
        async with AsyncExitStack() as stack:
            connection = await self._open(stack) if self._replica.may_serve() else None
            yield connection

    async def close(self) -> None:
        await self._pool.close()

    async def _open(self, stack: AsyncExitStack) -> asyncpg.Connection | None:
        try:
            connection = await stack.enter_async_context(self._pool.connection())
        except Unavailable as error:
            if error.__cause__ is not None:
                self._replica.record_failure(error.__cause__)
            return None
        if await stack.enter_async_context(self._replica.admission(connection)):
            return connection
        await stack.aclose()  # not needed while the primary serves
        return None
