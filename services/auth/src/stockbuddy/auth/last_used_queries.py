"""Reports of when sessions, API keys and app grants were last used."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession


def last_used_statement(table: str, *, id_type: Literal["bigint", "uuid"], ended: str) -> TextClause:
    """For `record_times`. `ended`: the column that is set once a row is no longer used."""
    # SKIP LOCKED: this report must not wait for, or delay, a transaction that changes a row, such as a refresh.
    return text(f"""
        UPDATE {table} SET last_used_at = reported.used_at
        FROM (
            SELECT {table}.id, report.used_at
            FROM unnest(CAST(:ids AS {id_type}[]), CAST(:times AS timestamptz[])) AS report (id, used_at)
            JOIN {table} ON {table}.id = report.id
            WHERE {ended} IS NULL AND (last_used_at IS NULL OR last_used_at < report.used_at)
            FOR UPDATE OF {table} SKIP LOCKED
        ) AS reported
        WHERE {table}.id = reported.id
    """)


async def record_times(session: AsyncSession, statement: TextClause, times: Mapping[Any, datetime]) -> None:
    """Update `last_used_at` of the rows with these ids."""
    if times:
        await session.execute(statement, {"ids": list(times), "times": list(times.values())})
