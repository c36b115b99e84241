"""A connection through PgBouncer in transaction mode. It occupies a server session during a transaction, or during a
statement outside of one.

PgBouncer assigns a session when a client sends a message, and releases it when PostgreSQL reports outside of a
transaction that it is ready for the next query. asyncpg requests the description of a statement with Flush, after which
PostgreSQL reports nothing. The session would stay assigned until the statement is executed, or for good if it is not,
because a value is invalid or its task was cancelled.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar

import asyncpg
from asyncpg.connection import LoggedQuery
from asyncpg.prepared_stmt import PreparedStatement

MAX_STATEMENTS = 200
"""Described statements that a connection keeps; as many as PgBouncer's `max_prepared_statements` by default."""

_END = "SELECT"
"""One row without columns. After this simple query PgBouncer releases the session."""

Result = TypeVar("Result")
Run = Callable[[PreparedStatement], Awaitable[Result]]
Logger = Callable[[LoggedQuery], None]
RecordWait = Callable[[float], None]


class PooledConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """Requests the description of each statement once. With `statement_cache_size=0`, an execution is then one message
    with text and values, which any server session can execute; otherwise it names the statement, which PgBouncer
    prepares in the session that it assigns."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._described: OrderedDict[str, PreparedStatement] = OrderedDict()
        self._loggers: list[Logger] = []
        self.is_interrupted = False
        """True after a statement timed out or was cancelled: the connection is closed soon and must not be used."""
        self.record_wait: RecordWait = lambda _: None
        """Called with the seconds that a transaction has waited for its server session, also if it gets none."""

    def _cancel_current_command(self, *_: Any) -> None:
        """asyncpg calls this when a statement times out or its task is cancelled. Close the connection instead of
        sending a cancel request; PostgreSQL then ends the statement (`client_connection_check_interval`). PgBouncer
        does not cancel a statement that waits for a session: a BEGIN would later open a transaction that nothing ends.
        PgBouncer 1.18 also exits if the client of a cancel request disconnects (its issue 801)."""
        self.is_interrupted = True
        self._loop.call_soon(self.terminate)

    async def prepare(self, query: str, **options: Any) -> PreparedStatement:
        """See `asyncpg.Connection.prepare`. Outside of a transaction, no server session stays assigned."""
        try:
            statement = await super().prepare(query, **options)
            if not self.is_in_transaction():
                await super().execute(_END, timeout=options.get("timeout"))
        except asyncio.CancelledError:
            self.terminate()  # the session may still be assigned
            raise
        return statement

    async def fetch(self, query: str, *args: Any, **options: Any) -> Any:
        return await self._run(query, args, options, lambda statement: statement.fetch(*args, **options))

    async def fetchrow(self, query: str, *args: Any, **options: Any) -> Any:
        return await self._run(query, args, options, lambda statement: statement.fetchrow(*args, **options))

    async def fetchval(self, query: str, *args: Any, **options: Any) -> Any:
        return await self._run(query, args, options, lambda statement: statement.fetchval(*args, **options))

    async def execute(self, query: str, *args: Any, **options: Any) -> str:
        if not args:
            return await self._execute_simple(query, options)

        async def run(statement: PreparedStatement) -> str:
            await statement.fetch(*args, **options)
            return str(statement.get_statusmsg())

        return await self._run(query, args, options, run)

    async def executemany(self, command: str, args: Iterable[Any], **options: Any) -> None:
        await self._run(command, (), options, lambda statement: statement.executemany(args, **options))

    def add_query_logger(self, callback: Logger) -> None:
        """Also reports executions of described statements, which asyncpg does not, and omits the queries added by this
        class."""
        self._loggers.append(callback)
        super().add_query_logger(lambda logged: None if logged.query == _END else callback(logged))

    async def _execute_simple(self, query: str, options: Mapping[str, Any]) -> str:
        started = time.monotonic()
        try:
            return str(await super().execute(query, **options))
        finally:
            if query.startswith("BEGIN"):  # which takes PostgreSQL no time
                self.record_wait(time.monotonic() - started)

    async def _run(self, query: str, values: tuple[Any, ...], options: Mapping[str, Any], run: Run[Result]) -> Result:
        timeout = options.get("timeout")
        started = time.monotonic()
        failure: BaseException | None = None
        try:
            try:
                return await run(await self._describe(query, timeout))
            except asyncpg.InvalidCachedStatementError:  # a table was altered; nothing was executed
                self._described.clear()
                if self.is_in_transaction():
                    raise
                return await run(await self._describe(query, timeout))
        except BaseException as error:
            failure = error
            if isinstance(error, asyncpg.InternalClientError):
                self.terminate()  # the result has other columns than described
            raise
        finally:
            self._log(query, values, time.monotonic() - started, failure)

    async def _describe(self, query: str, timeout: float | None) -> PreparedStatement:  # noqa: ASYNC109 (asyncpg's)
        if (statement := self._described.get(query)) is not None:
            self._described.move_to_end(query)
            return statement
        statement = self._described[query] = await self.prepare(query, timeout=timeout)
        if len(self._described) > MAX_STATEMENTS:
            self._described.popitem(last=False)
        return statement

    def _log(self, query: str, values: tuple[Any, ...], seconds: float, failure: BaseException | None) -> None:
        for logger in self._loggers:
            logged = LoggedQuery(query, values, None, seconds, failure, None, None)
            asyncio.get_running_loop().call_soon(logger, logged)
