"""Databases for tests: migrated once per run into a template, then cloned in milliseconds for each test."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from stockbuddy.chassis.postgres.migrations import migrate

# Migrates the database at a URL. Equal sequences of migrations share a template.
Migrate = Callable[[str], Awaitable[None]]

PREFIX = "stockbuddy_test"
STALE_SECONDS = 3 * 3600  # longer than any test run; older ones are left over from killed runs


@dataclass(frozen=True)
class ServiceMigrations:
    """A service's own migrations, as a `Migrate`."""

    schema: str
    folder: Path

    async def __call__(self, url: str) -> None:
        await migrate(url, self.schema, self.folder)


class TemplateDatabases:
    """The test databases of one run on one server."""

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._session = f"{PREFIX}_{int(time.time())}_{secrets.token_hex(4)}"
        self._templates: dict[tuple[Migrate, ...], str] = {}
        self._made = 0

    @asynccontextmanager
    async def clone(self, migrations: Sequence[Migrate]) -> AsyncIterator[str]:
        """The URL of a new database with these migrations applied in order; dropped on exit."""
        template = await self._template(migrations)
        name = self._next_name()
        # Copying the files takes a fifth of the time of copying through the write-ahead log, PostgreSQL's default.
        await self._administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        try:
            yield with_database(self._server_url, name)
        finally:
            await self._administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def drop_templates(self) -> None:
        for name in self._templates.values():
            await self._administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self._templates.clear()

    async def drop_stale(self) -> None:
        connection = await asyncpg.connect(self._server_url)
        try:
            names = await connection.fetch("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", PREFIX)
            for (name,) in names:
                if int(name.split("_")[2]) < time.time() - STALE_SECONDS:
                    await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        finally:
            await connection.close()

    async def _template(self, migrations: Sequence[Migrate]) -> str:
        key = tuple(migrations)
        if key not in self._templates:
            name = self._next_name()
            # Explicit, because the server's default may be an encoding in which text search can't normalise.
            await self._administer(
                f"""CREATE DATABASE "{name}" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C' STRATEGY file_copy"""
            )
            self._templates[key] = name
            try:
                for bring_up_to_date in migrations:
                    await bring_up_to_date(with_database(self._server_url, name))
            except BaseException:
                await self._administer(f'DROP DATABASE "{self._templates.pop(key)}" WITH (FORCE)')
                raise
        return self._templates[key]

    def _next_name(self) -> str:
        self._made += 1
        return f"{self._session}_{self._made}"

    async def _administer(self, statement: str) -> None:
        connection = await asyncpg.connect(self._server_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def with_database(server_url: str, name: str) -> str:
    """The URL of another database on the same server."""
    return urlsplit(server_url)._replace(path=f"/{name}").geturl()
