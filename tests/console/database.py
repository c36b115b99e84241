"""The database of a running system, for states that only a crash or an outage brings about."""

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import asyncpg

TIMEOUT_SECONDS = 60


class Database:
    """In a thread of its own: the synchronous Playwright has an event loop in that of the tests."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._thread = ThreadPoolExecutor(1)
        self._runner = asyncio.Runner()

    def execute(self, statement: str, *values: Any) -> None:
        async def execute() -> None:
            connection = await asyncpg.connect(self.url)
            await connection.execute(statement, *values)
            await connection.close()

        self._run(execute())

    def wait_until(self, query: str, *values: Any) -> None:
        """Until the query returns true."""

        async def wait() -> None:
            connection = await asyncpg.connect(self.url)
            async with asyncio.timeout(TIMEOUT_SECONDS):
                while not await connection.fetchval(query, *values):
                    await asyncio.sleep(0.02)
            await connection.close()

        self._run(wait())

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """Until the block ends, requests and jobs that read the table wait."""
        connection = self._run(asyncpg.connect(self.url))
        try:
            self._run(connection.execute("BEGIN"))
            self._run(connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
            yield
        finally:
            self._run(connection.close())

    def close(self) -> None:
        self._thread.submit(self._runner.close).result()
        self._thread.shutdown()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._thread.submit(self._runner.run, work).result()
