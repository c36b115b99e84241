"""Reads what is compared after a restore, and whether a database is empty. In SQL that works with the tables of other
releases, too."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from stockbuddy.chassis.runtime.database_url import connect_arguments
from stockbuddy.chassis.runtime.release import VERSION
from stockbuddy.embedded.backup.errors import BackupFailed
from stockbuddy.embedded.backup.manifest import LogHead, Manifest
from stockbuddy.embedded.service_registry import SERVICES

CONNECT_TIMEOUT_SECONDS = 10
SCHEMAS = [one.name for one in SERVICES]
NO_TABLES = "The database has no tables of Stockbuddy: nothing to back up."

# Partitions, and tables that inherit, are part of their table.
_TABLES = """
    SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'p')
        AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = c.oid) ORDER BY 1
"""
_OWNERS = "SELECT DISTINCT nspowner::regrole::text FROM pg_namespace WHERE nspname = ANY($1) ORDER BY 1"
_HEAD = "SELECT position, encode(hash, 'hex') AS hash FROM notifications.event_log_head"
_ROLES = "SELECT count(*) FROM pg_roles WHERE quote_ident(rolname) = ANY($1)"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`id` is that of an exported snapshot, valid while its connection is open; `manifest` describes it."""

    id: str
    manifest: Manifest


@asynccontextmanager
async def open_snapshot(url: str, image_store: str) -> AsyncIterator[Snapshot]:
    """Hold a snapshot of all schemas during the block. Raises BackupFailed for a database without our tables."""
    async with _connection(url) as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        snapshot_id = await connection.fetchval("SELECT pg_export_snapshot()")
        manifest = Manifest(
            created_at=datetime.now(UTC),
            release=VERSION,
            revisions=await _read_revisions(connection),
            roles=await read_owners(connection),
            log_head=await _read_head(connection),
            rows=await _count_rows(connection),
            image_store=image_store,
        )
        yield Snapshot(snapshot_id, manifest)


async def find_differences(url: str, manifest: Manifest) -> list[str]:
    """One line for each table and for the head of the log, if it differs from the manifest."""
    async with _connection(url) as connection:
        found = await _count_rows(connection)
        head = await _read_head(connection)
    lines = [
        f"{table}: {found.get(table, 0)} rows instead of {rows}"
        for table, rows in manifest.rows.items()
        if found.get(table) != rows
    ]
    lines += [f"{table}: not in the backup" for table in found.keys() - manifest.rows.keys()]
    if head != manifest.log_head:
        lines.append(f"event log: the head is {head.position}, not {manifest.log_head.position}, or has another hash")
    return lines


async def restore_options(url: str, manifest: Manifest) -> list[str]:
    """The options of pg_restore for a target. Raises BackupFailed if it has tables, or roles that the backup lacks."""
    async with _connection(url) as connection:
        if tables := await connection.fetch(_TABLES, SCHEMAS):
            raise BackupFailed(
                f"The database is not empty ({tables[0][0]} exists): restore into an empty one, to lose nothing."
            )
        if missing := set(await read_owners(connection)) - set(manifest.roles):
            raise BackupFailed(
                f"The backup is of a deployment without the database roles {', '.join(sorted(missing))}: "
                "restore it into a database that a single role owns."
            )
        has_roles = await connection.fetchval(_ROLES, manifest.roles) == len(manifest.roles)
    # Schemas that exist, made with their roles, are replaced.
    return ["--clean", "--if-exists", *([] if has_roles else ["--no-owner", "--no-privileges"])]


async def read_owners(connection: asyncpg.Connection) -> list[str]:
    return [row[0] for row in await connection.fetch(_OWNERS, SCHEMAS)]


@asynccontextmanager
async def _connection(url: str) -> AsyncIterator[asyncpg.Connection]:
    settings = {"search_path": "", "idle_in_transaction_session_timeout": "0", "statement_timeout": "0"}
    try:
        connection = await asyncpg.connect(
            **connect_arguments(url, timeout_seconds=CONNECT_TIMEOUT_SECONDS, server_settings=settings)
        )
    except (OSError, TimeoutError, asyncpg.PostgresError, ValueError) as error:
        raise BackupFailed(f"The database can't be reached: {error or 'no response'}.") from None
    try:
        yield connection
    finally:
        await connection.close()


async def _read_revisions(connection: asyncpg.Connection) -> dict[str, str]:
    try:
        return {
            schema: await connection.fetchval(f"SELECT version_num FROM {schema}.schema_version") for schema in SCHEMAS
        }
    except asyncpg.UndefinedTableError:
        raise BackupFailed(NO_TABLES) from None


async def _read_head(connection: asyncpg.Connection) -> LogHead:
    return LogHead.model_validate(dict(await connection.fetchrow(_HEAD)))


async def _count_rows(connection: asyncpg.Connection) -> dict[str, int]:
    tables = [row[0] for row in await connection.fetch(_TABLES, SCHEMAS)]
    return {table: await connection.fetchval(f"SELECT count(*) FROM {table}") for table in tables}
