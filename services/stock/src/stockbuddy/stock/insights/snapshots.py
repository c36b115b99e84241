"""Reads of several statements that see the same state of the database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession


@asynccontextmanager
async def one_snapshot(session: AsyncSession) -> AsyncIterator[asyncpg.Connection]:
    """Let all statements of a session for reads see one snapshot within the block. Yields the driver's connection."""
    connection = await session.connection()
    driver: asyncpg.Connection = (await connection.get_raw_connection()).driver_connection
    async with driver.transaction(isolation="repeatable_read", readonly=True):
        yield driver
