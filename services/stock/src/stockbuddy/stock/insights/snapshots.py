"""Reads of several statements that see the same state of the database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.postgres import read_transactions
from stockbuddy.chassis.postgres.database import driver_connection


@asynccontextmanager
async def one_snapshot(session: AsyncSession) -> AsyncIterator[asyncpg.Connection]:
    """Let all statements of a session for reads see one snapshot within the block. Yields the driver's connection."""
    driver = await driver_connection(session)
    async with read_transactions.one_snapshot(driver):
        yield driver
