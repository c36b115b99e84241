"""SQL of the archive. Table names are those that PostgreSQL returned, quoted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.postgres.partitions import LOCK_TIMEOUT_MS
from stockbuddy.notifications.event_log.archive_queries import ChainStart

# Their names end with the time at which the period ended.
_FORMER_PERIODS = """
    SELECT c.oid::regclass::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = to_regclass('event_log') ORDER BY c.relname
"""
_BOUNDS = """
    SELECT o.position AS first, n.position AS last, n.at
    FROM (SELECT position FROM {table} ORDER BY position LIMIT 1) o,
         (SELECT position, at FROM {table} ORDER BY position DESC LIMIT 1) n
"""
_WAITING = """
    SELECT 'an erasure may still change entries of an earlier release' FROM redaction_bound WHERE position >= $1
    UNION ALL
    SELECT 'webhooks have not received all of its events: start the service' FROM webhook_progress WHERE position < $2
    UNION ALL
    SELECT 'webhooks have pending deliveries of its events'
    WHERE EXISTS (SELECT FROM webhook_delivery WHERE state = 'pending' AND position <= $2)
    UNION ALL
    SELECT 'consumers on RabbitMQ have not received all of its events: start the service'
    FROM event_log_published WHERE $3 AND position < $2
    LIMIT 1
"""
# Of concurrent commands the second one finds another start.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('notifications.event_log_archive'))")
_LIMIT_WAITING = text(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
_RECORD = text("""
    INSERT INTO event_log_archive (first, last, audited, hash, file, sha256)
    VALUES (:first, :last, :audited, :hash, :file, :sha256)
""")
_DELETE_DELIVERIES = text("DELETE FROM webhook_delivery WHERE position <= :last")
_WORDS_PER_BATCH = 10_000
_DELETE_WORDS = f"""
    DELETE FROM event_log_word WHERE position IN (
        SELECT position FROM event_log_word WHERE position <= $1 ORDER BY position LIMIT {_WORDS_PER_BATCH})
"""


@dataclass(frozen=True, slots=True)
class Period:
    """A table of former entries, from `first` to `last`. `ended_at`: the time of the last one."""

    table: str
    first: int
    last: int
    ended_at: datetime


async def list_former_periods(connection: asyncpg.Connection) -> list[Period]:
    """Oldest first."""
    tables: Sequence[str] = [row[0] for row in await connection.fetch(_FORMER_PERIODS)]
    bounds = [(table, await connection.fetchrow(_BOUNDS.format(table=table))) for table in tables]
    return [Period(table, *row) for table, row in bounds if row is not None]


async def find_obstacle(connection: asyncpg.Connection, period: Period, *, publishes: bool) -> str | None:
    """Why the period can't be archived yet. `publishes`: the service publishes every event to RabbitMQ."""
    obstacle: str | None = await connection.fetchval(_WAITING, period.first, period.last, publishes)
    return obstacle


async def replace_by_archive(session: AsyncSession, period: Period, end: ChainStart, file: str, sha256: str) -> None:
    """Drop the period, which waits for locks only briefly. `end`: its last entry."""
    await session.execute(_LIMIT_WAITING)
    await session.execute(text(f"LOCK TABLE {period.table} IN ACCESS EXCLUSIVE MODE"))
    values = {"first": period.first, "last": end.position, "audited": end.audited, "hash": end.hash}
    await session.execute(_RECORD, {**values, "file": file, "sha256": sha256})
    await session.execute(_DELETE_DELIVERIES, {"last": end.position})
    await session.execute(text(f"DROP TABLE {period.table}"))


async def lock_archive(session: AsyncSession) -> None:
    await session.execute(_LOCK)


async def delete_words(connection: asyncpg.Connection, last: int) -> None:
    """Of archived entries, which searches would count."""
    while await connection.execute(_DELETE_WORDS, last) != "DELETE 0":
        pass
