"""Migrates a service's schema with Alembic; an advisory lock lets one process migrate at a time.

A service's `migrations/env.py` calls `run_environment()`.
"""

import asyncio
import sys
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.pool import NullPool

from stockbuddy.chassis.postgres.database import create_engine
from stockbuddy.chassis.postgres.privileges import grant_serving
from stockbuddy.chassis.postgres.schema import ROUTINES
from stockbuddy.chassis.runtime.packaged import folder_beside


class UnusableDatabase(Exception):
    """The database does not meet the services' requirements."""


def migrations_of(package_file: str) -> Path:
    """The `migrations` folder next to the `src` folder that contains `package_file` (a module's `__file__`)."""
    return folder_beside(package_file, "migrations", Path(package_file).resolve().parents[3] / "migrations")


async def migrate(url: str, schema: str, migrations: Path, *, serving_role: str | None = None) -> None:
    """Create the schema if it is missing and upgrade it to the newest revision. Replicas may run it concurrently.
    `serving_role` (if it is not the owner) is granted the privileges that serving needs."""
    engine = create_engine(url, server_settings={"search_path": schema}, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(
                text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"migrate {schema}"}
            )
            if await connection.scalar(text("SHOW server_encoding")) != "UTF8":
                raise UnusableDatabase("the database must have ENCODING 'UTF8'")
            exists = await connection.scalar(text("SELECT to_regnamespace(:name) IS NOT NULL"), {"name": f'"{schema}"'})
            if not exists:
                await connection.execute(text(f'CREATE SCHEMA "{schema}"'))
            await connection.run_sync(_upgrade, schema, migrations)
            for statement in ROUTINES:
                await connection.execute(text(statement))
            if serving_role is not None:
                await grant_serving(connection, schema, serving_role)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, schema: str, migrations: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.attributes.update(connection=connection, schema=schema)
    command.upgrade(config, "head")


def run_environment() -> None:
    """The body of every service's `env.py`: runs in the connection and transaction that `migrate` holds."""
    context.configure(
        connection=context.config.attributes["connection"],
        version_table="schema_version",
        version_table_schema=context.config.attributes["schema"],
    )
    context.run_migrations()


def run_command(url: str, schema: str, migrations: Path, *, serving_role: str | None) -> None:
    """`python -m stockbuddy.<service> migrate`."""
    asyncio.run(migrate(url, schema, migrations, serving_role=serving_role))
    sys.stderr.write(f"{schema}: the schema is up to date\n")
