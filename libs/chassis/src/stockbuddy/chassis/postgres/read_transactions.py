"""Transactions of reads: with one server, although PgBouncer has several behind it, and with one snapshot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from stockbuddy.chassis.postgres.connections import is_interrupted

# The transaction that COMMIT AND CHAIN begins is on the same server: PgBouncer keeps the session assigned.
_BEGIN_SNAPSHOT = "COMMIT AND CHAIN; SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
_END_SNAPSHOT = "COMMIT AND CHAIN; SET TRANSACTION ISOLATION LEVEL READ COMMITTED"


@asynccontextmanager
async def read_transaction(driver: asyncpg.Connection) -> AsyncIterator[None]:
    """Let one server session execute all statements of the block, each with its own snapshot. A connection that can't
    end the transaction is closed."""
    transaction = driver.transaction(isolation="read_committed", readonly=True)
    await transaction.start()
    try:
        yield
    finally:
        if not (driver.is_closed() or is_interrupted(driver)):
            try:
                await transaction.rollback()
            except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
                driver.terminate()  # what the block has read is valid


@asynccontextmanager
async def one_snapshot(driver: asyncpg.Connection) -> AsyncIterator[None]:
    """Let all statements of the block see the same state of the database. Within a `read_transaction`, that of its
    server."""
    if not driver.is_in_transaction():
        async with driver.transaction(isolation="repeatable_read", readonly=True):
            yield
        return
    if await driver.fetchval("SHOW transaction_read_only") != "on":
        raise RuntimeError("a snapshot can't begin within a transaction that may have written: it would commit it")
    await driver.execute(_BEGIN_SNAPSHOT)
    yield  # if the block raises, the whole transaction is rolled back
    await driver.execute(_END_SNAPSHOT)
