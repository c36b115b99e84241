"""Databases at the schema of an earlier release, for tests of migrations."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.pool import NullPool

from stockbuddy.chassis.postgres.database import create_engine


async def migrate_to(revision: str, url: str, schema: str, migrations: Path) -> None:
    """Create the schema at `revision`. Unlike `migrate`, without the routines, which need the newest one."""
    engine = create_engine(url, server_settings={"search_path": schema}, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(text(f'CREATE SCHEMA "{schema}"'))
        await connection.run_sync(_upgrade, revision, schema, migrations)
    await engine.dispose()


def _upgrade(connection: Connection, revision: str, schema: str, migrations: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.attributes.update(connection=connection, schema=schema)
    command.upgrade(config, revision)
