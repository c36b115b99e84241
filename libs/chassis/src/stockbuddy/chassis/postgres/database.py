"""The connection to PostgreSQL: one engine per service, restricted to the service's own schema."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import asyncpg
from sqlalchemy import event, text
from sqlalchemy.exc import DisconnectionError, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine

from stockbuddy.chassis.postgres.connections import (
    ACQUIRE_TIMEOUT_SECONDS,
    Connect,
    is_interrupted,
    serving_connections,
)
from stockbuddy.chassis.postgres.failures import classify_database_error
from stockbuddy.chassis.postgres.pool import ShrinkingPool
from stockbuddy.chassis.runtime.database_url import connect_arguments
from stockbuddy.chassis.runtime.failures import DATABASE, READ_ONLY, DependencyUnavailable, register_classifier
from stockbuddy.chassis.runtime.pooler import Pooler
from stockbuddy.chassis.runtime.signals import Signals

register_classifier(classify_database_error)

BeforeCommit = Callable[[AsyncSession], Awaitable[None]]
"""Called as the last step of a transaction."""

_SIGNALS = "signals"
_BEGIN = text("SELECT")  # SQLAlchemy begins the transaction with its first statement
# A standby, also one that was the primary; or `default_transaction_read_only`, as providers set it on a full disk.
_IS_READ_ONLY = text("SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean")


class Database:
    """One service's schema in one PostgreSQL database."""

    def __init__(
        self,
        url: str,
        schema: str,
        *,
        pool_size: int = 10,
        pooler: Pooler | None = None,
        before_commit: BeforeCommit | None = None,
        signals: Signals | None = None,
    ) -> None:
        self.schema = schema
        self._signals = signals or Signals()
        self._before_commit = before_commit
        self.engine = create_pooled_engine(serving_connections(url, schema, pooler=pooler), pool_size)
        self._max_connections = 2 * pool_size
        self._reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    def on_commit(self, signal: str, listener: Callable[[], None]) -> None:
        """Call `listener` after every commit with that signal (see `signal_on_commit`) of a process that shares the
        signals."""
        self._signals.listen(signal, listener)

    def notify(self, signal: str) -> None:
        """Notify the listeners of `signal` at once: for code that has committed through `raw`."""
        self._signals.send(signal)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session that commits when the block ends and rolls back when it raises."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            yield session
            if self._before_commit is not None:
                await self._before_commit(session)
            await session.commit()
        for signal in session.info.pop(_SIGNALS, ()):
            self.notify(signal)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session for reads only: each statement sees its own snapshot; saves BEGIN and COMMIT round trips."""
        async with AsyncSession(self._reading, autoflush=False) as session:
            yield session

    @asynccontextmanager
    async def raw(self) -> AsyncIterator[asyncpg.Connection]:
        """The asyncpg connection, for the few paths where SQLAlchemy's overhead matters. The block manages transactions
        itself. A connection that is closed or still in a transaction on exit is discarded, not returned to the pool."""
        async with self.engine.connect() as connection:
            driver = await driver_of(connection)
            try:
                yield driver
            finally:
                if driver.is_closed() or is_interrupted(driver) or driver.is_in_transaction():
                    await connection.invalidate()

    async def exists(self, query: str, *arguments: Any) -> bool:
        """Whether the query has a row. Costs a third of a statement in a session."""
        async with self.raw() as connection:
            return bool(await connection.fetchval(f"SELECT EXISTS ({query})", *arguments))

    async def ping(self) -> None:
        """Raises if the database does not answer, or does not accept writes."""
        async with self.reading() as session:
            if await session.scalar(_IS_READ_ONLY):
                raise DependencyUnavailable("the session is read-only", dependency=DATABASE, reason=READ_ONLY)

    def count_connections(self) -> dict[str, int]:
        """By state: `used`, `idle`, and the limit `max` of both together."""
        pool = cast(ShrinkingPool, self.engine.pool)
        return {"used": pool.checkedout(), "idle": pool.checkedin(), "max": self._max_connections}

    async def close(self) -> None:
        await self.engine.dispose()


def create_engine(url: str, *, server_settings: Mapping[str, str], **options: Any) -> AsyncEngine:
    """A SQLAlchemy engine on asyncpg whose connections are opened from a libpq URL; `options` are the engine's."""
    arguments = connect_arguments(url, timeout_seconds=ACQUIRE_TIMEOUT_SECONDS, server_settings=server_settings)

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(**arguments)

    return _engine(connect, **options)


def create_pooled_engine(connect: Connect, pool_size: int) -> AsyncEngine:
    """The engine of serving connections."""
    engine = _engine(
        connect,
        poolclass=ShrinkingPool,
        pool_size=pool_size,
        max_overflow=pool_size,  # _max_connections: a burst may use twice the pool before it has to wait
        pool_timeout=ACQUIRE_TIMEOUT_SECONDS,
        pool_pre_ping=False,  # saves a round trip per checkout; _reject_closed_connection detects closed ones
    )
    event.listen(engine.sync_engine, "checkout", _reject_closed_connection)
    return engine


def _engine(connect: Connect, **options: Any) -> AsyncEngine:
    return create_async_engine("postgresql+asyncpg://", async_creator=connect, **options)


def _reject_closed_connection(_: Any, record: Any, __: Any) -> None:
    """Detect a connection closed by the server without a ping; invalidate the whole pool, since its other connections
    were probably closed too."""
    if is_interrupted(record.driver_connection):
        raise DisconnectionError()  # this one only
    if record.driver_connection.is_closed():
        raise InvalidatePoolError()


async def driver_of(connection: AsyncConnection) -> asyncpg.Connection:
    """The asyncpg connection below one of SQLAlchemy."""
    proxied = await connection.get_raw_connection()
    driver: asyncpg.Connection = proxied.driver_connection
    return driver


async def driver_connection(session: AsyncSession) -> asyncpg.Connection:
    """The asyncpg connection of the session, in its transaction once a statement of the session has begun that. Before,
    the driver's statements commit on their own: `driver_in_transaction`."""
    return await driver_of(await session.connection())


async def driver_in_transaction(session: AsyncSession) -> asyncpg.Connection:
    """The asyncpg connection of the session, for statements that may be the first of its transaction."""
    await session.execute(_BEGIN)
    return await driver_connection(session)


def signal_on_commit(session: AsyncSession, signal: str) -> None:
    """Notify the listeners of `signal` if and when `session` commits, so that workers need not wait for their next
    poll. Processes that do not share the signals poll."""
    session.info.setdefault(_SIGNALS, set()).add(signal)
