"""The connection to PostgreSQL: one engine per service, kept to the service's own schema, and the request's session.

A transaction writes its outbox rows last and wakes the relay after the commit, so that an event is never said
of something that did not happen, and never left unsaid.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

import asyncpg
from fastapi import Depends, Request
from sqlalchemy import event, make_url, text
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from stockbuddy.chassis import idempotency, outbox

ACQUIRE_SECONDS = 10
STATEMENT_SECONDS = 30


class Database:
    """One service's schema in one PostgreSQL database."""

    def __init__(self, url: str, schema: str, *, pool_size: int = 10) -> None:
        self.schema = schema
        self.engine = _engine(url, schema, pool_size)
        self._reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._listeners: list[Callable[[], None]] = []

    def on_event_committed(self, listener: Callable[[], None]) -> None:
        """Call `listener` after every commit that left events in the outbox."""
        self._listeners.append(listener)

    def event_committed(self) -> None:
        for listener in self._listeners:
            listener()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session that commits when the block ends, events included, and rolls back when it raises."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            yield session
            has_events = await outbox.write(session)
            await session.commit()
        if has_events:
            self.event_committed()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session for reads alone: each statement is its own snapshot, without the round trips of a transaction."""
        async with AsyncSession(self._reading, autoflush=False) as session:
            yield session

    @asynccontextmanager
    async def raw(self) -> AsyncIterator[asyncpg.Connection]:
        """The driver's own connection, for the few paths where the ORM's share of the time matters.
        The block manages its transactions itself; a connection that it leaves lost or in one is thrown away."""
        async with self.engine.connect() as connection:
            proxied = await connection.get_raw_connection()
            driver: asyncpg.Connection = proxied.driver_connection
            try:
                yield driver
            finally:
                if driver.is_closed() or driver.is_in_transaction():
                    await connection.invalidate()

    async def ping(self) -> None:
        """Raises when the database does not answer."""
        async with self.reading() as session:
            await session.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self.engine.dispose()


def driver_url(url: str) -> Any:
    """`postgres://…` and `postgresql://…` alike, for SQLAlchemy's asyncpg dialect."""
    return make_url(url.replace("postgres://", "postgresql://", 1)).set(drivername="postgresql+asyncpg")


def _engine(url: str, schema: str, pool_size: int) -> AsyncEngine:
    engine = create_async_engine(
        driver_url(url),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=ACQUIRE_SECONDS,
        pool_pre_ping=False,
        connect_args={
            "timeout": ACQUIRE_SECONDS,
            "command_timeout": STATEMENT_SECONDS,
            # JIT compiles for longer than our short statements run.
            "server_settings": {"search_path": schema, "timezone": "UTC", "jit": "off", "application_name": schema},
        },
    )
    event.listen(engine.sync_engine, "checkout", _refuse_lost_connection)
    return engine


def _refuse_lost_connection(_: Any, record: Any, __: Any) -> None:
    """What the server has ended is noticed here, without a round trip; whatever else waits in the pool is as old."""
    if record.driver_connection.is_closed():
        raise InvalidatePoolError()


def is_database_away(error: BaseException) -> bool:
    """True when the database could not be reached or went away, so that the same work may succeed later;
    False for everything that the work itself did wrong."""
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        cause = error.orig.__cause__ if error.orig is not None else None
        return isinstance(error, OperationalError) or (cause is not None and is_database_away(cause))
    return isinstance(
        error,
        (
            OSError,
            TimeoutError,
            PoolTimeout,
            asyncpg.PostgresConnectionError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,  # what a connection says between the server's farewell and its end
            asyncpg.OperatorInterventionError,
            asyncpg.InsufficientResourcesError,
        ),
    )


async def open_session(request: Request) -> AsyncIterator[AsyncSession]:
    """The request's transaction. It commits before the response leaves (`scope="function"`), so that a client
    that has its answer can rely on it. A call that repeats an idempotency key ends here with the first answer."""
    database: Database = request.app.state.database
    async with database.transaction() as session:
        await idempotency.claim(session, request)
        yield session


async def open_reading(request: Request) -> AsyncIterator[AsyncSession]:
    database: Database = request.app.state.database
    async with database.reading() as session:
        yield session


Session = Annotated[AsyncSession, Depends(open_session, scope="function")]
ReadSession = Annotated[AsyncSession, Depends(open_reading, scope="function")]
