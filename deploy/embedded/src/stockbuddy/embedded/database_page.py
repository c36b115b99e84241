"""Writes docs/database.md from the comments on tables and columns of all schemas. `make contracts` runs it."""

import asyncio
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from stockbuddy.chassis.postgres.comments import CHASSIS_COMMENTS
from stockbuddy.embedded.service_registry import SERVICES, migrate_all
from stockbuddy.local_servers.postgres import LocalPostgres

PAGE = Path(__file__).resolve().parents[5] / "docs" / "database.md"
HEAD = """# Database

Generated from the comments on tables and columns by `make contracts`; a test fails if this page is out of date.

Each service has a schema of its name and reads no other one ([architecture](architecture.md)). *key*: a column of the
primary key; →: the table that a foreign key refers to, in the same schema; ?: may be null. Partitions have the columns
of their table.
"""
SHARED_HEAD = """
## Tables of every schema

Events, idempotency keys and the revision of the schema; the same in each service.
"""
SHARED_TABLES = frozenset(CHASSIS_COMMENTS)

# Partitions, and tables that inherit, are no tables of their own.
_COLUMNS = """
    SELECT c.relname AS table, obj_description(c.oid, 'pg_class') AS table_comment,
        CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS partitioned_by,
        a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type, NOT a.attnotnull AS may_be_null,
        col_description(c.oid, a.attnum) AS comment,
        EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p' AND a.attnum = ANY (k.conkey))
            AS is_key,
        (SELECT string_agg(DISTINCT r.relname, ', ' ORDER BY r.relname)
         FROM pg_constraint k JOIN pg_class r ON r.oid = k.confrelid
         WHERE k.conrelid = c.oid AND k.contype = 'f' AND a.attnum = ANY (k.conkey)) AS refers_to
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = $1::text::regnamespace AND c.relkind IN ('r', 'p')
        AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = c.oid)
        AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.relname, a.attnum
"""


@dataclass(frozen=True, slots=True)
class Table:
    """`columns`: rows of the page's table."""

    name: str
    comment: str
    partitioned_by: str | None
    columns: Sequence[str]


async def database_page(url: str) -> str:
    """The page of a database with the newest schemas of all services."""
    connection = await asyncpg.connect(url)
    try:
        schemas = {one.name: await _read_tables(connection, one.name) for one in SERVICES}
    finally:
        await connection.close()
    shared = [table for table in next(iter(schemas.values())) if table.name in SHARED_TABLES]
    return HEAD + SHARED_HEAD + "".join(map(_describe, shared)) + "".join(_sections(schemas, shared))


async def _read_tables(connection: asyncpg.Connection, schema: str) -> list[Table]:
    tables: dict[str, list[asyncpg.Record]] = {}
    for row in await connection.fetch(_COLUMNS, schema):
        tables.setdefault(row["table"], []).append(row)
    return [
        Table(name, rows[0]["table_comment"], rows[0]["partitioned_by"], [_describe_column(row) for row in rows])
        for name, rows in tables.items()
    ]


def _describe_column(row: asyncpg.Record) -> str:
    name = f"`{row['column']}`{'?' if row['may_be_null'] else ''}"
    marks = [*(["key"] if row["is_key"] else []), *([f"→ {row['refers_to']}"] if row["refers_to"] else [])]
    cells = [name, row["type"], ", ".join(marks), row["comment"].replace("|", "\\|")]
    return f"| {' | '.join(cells)} |\n"


def _sections(schemas: Mapping[str, Iterable[Table]], shared: Sequence[Table]) -> Iterator[str]:
    """With the shared tables that have other columns in this schema."""
    for schema, tables in schemas.items():
        yield f"\n## {schema}\n"
        yield from (_describe(table) for table in tables if table not in shared)


def _describe(table: Table) -> str:
    partitions = f" Partitioned by {table.partitioned_by.lower()}." if table.partitioned_by else ""
    head = "| column | type | | meaning |\n| --- | --- | --- | --- |\n"
    return f"\n### {table.name}\n\n{table.comment}{partitions}\n\n{head}" + "".join(table.columns)


async def write_page() -> None:
    """Migrate an empty PostgreSQL and write its page."""
    with (
        tempfile.TemporaryDirectory(prefix="stockbuddy-page-") as folder,
        await asyncio.to_thread(LocalPostgres.start, Path(folder, "postgres"), settings={"fsync": "off"}) as server,
    ):
        await migrate_all(server.url)
        text = await database_page(server.url)
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(write_page())
