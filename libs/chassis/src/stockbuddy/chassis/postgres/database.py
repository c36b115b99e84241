"""The connection to PostgreSQL: one engine per service, restricted to the service's own schema."""

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy import event, make_url, text
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

ACQUIRE_TIMEOUT_SECONDS = 10
STATEMENT_TIMEOUT_SECONDS = 30

BeforeCommit = Callable[[AsyncSession], Awaitable[None]]
"""Called as the last step of a transaction."""

_SIGNALS = "signals"


class Database:
    """One service's schema in one PostgreSQL database."""

    def __init__(
        self, url: str, schema: str, *, pool_size: int = 10, before_commit: BeforeCommit | None = None
    ) -> None:
        self.schema = schema
        self._before_commit = before_commit
        self.engine = _engine(url, schema, pool_size)
        self._reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._listeners: defaultdict[str, list[Callable[[], None]]] = defaultdict(list)

    def on_commit(self, signal: str, listener: Callable[[], None]) -> None:
        """Call `listener` after every commit of this process with that signal (see `signal_on_commit`)."""
        self._listeners[signal].append(listener)

    def notify(self, signal: str) -> None:
        """Notify the listeners of `signal` at once: for code that has committed through `raw`."""
        for listener in self._listeners[signal]:
            listener()

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
            proxied = await connection.get_raw_connection()
            driver: asyncpg.Connection = proxied.driver_connection
            try:
                yield driver
            finally:
                if driver.is_closed() or driver.is_in_transaction():
                    await connection.invalidate()

    async def ping(self) -> None:
        """Raises if the database does not answer."""
        async with self.reading() as session:
            await session.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self.engine.dispose()


def driver_url(url: str) -> Any:
    """A `postgres://…` or `postgresql://…` URL for SQLAlchemy's asyncpg dialect."""
    return make_url(url.replace("postgres://", "postgresql://", 1)).set(drivername="postgresql+asyncpg")


def _engine(url: str, schema: str, pool_size: int) -> AsyncEngine:
    engine = create_async_engine(
        driver_url(url),
        pool_size=pool_size,
        max_overflow=pool_size,  # a burst may use twice the pool before it has to wait
        pool_timeout=ACQUIRE_TIMEOUT_SECONDS,
        pool_pre_ping=False,  # saves a round trip per checkout; _reject_closed_connection detects closed ones
        connect_args={
            "timeout": ACQUIRE_TIMEOUT_SECONDS,
            "command_timeout": STATEMENT_TIMEOUT_SECONDS,
            # JIT compilation takes longer than our short statements run.
            "server_settings": {"search_path": schema, "timezone": "UTC", "jit": "off", "application_name": schema},
        },
    )
    event.listen(engine.sync_engine, "checkout", _reject_closed_connection)
    return engine


def _reject_closed_connection(_: Any, record: Any, __: Any) -> None:
    """Detect a connection closed by the server without a ping; invalidate the whole pool, since its other connections
    were probably closed too."""
    if record.driver_connection.is_closed():
        raise InvalidatePoolError()


def signal_on_commit(session: AsyncSession, signal: str) -> None:
    """Notify the listeners of `signal` in this process if and when `session` commits, so that workers need not wait for
    their next poll. Other processes poll."""
    session.info.setdefault(_SIGNALS, set()).add(signal)
