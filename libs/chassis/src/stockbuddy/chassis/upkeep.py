"""Housekeeping of the chassis' tables: archive partitions made ahead and dropped in time, old notes forgotten."""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.database import Database, is_database_away

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 3600
ARCHIVE_DAYS = 7
INBOX_DAYS = 30
IDEMPOTENCY_DAYS = 8
DELETE_BATCH = 10_000

_PARTITIONS = text("""
    SELECT c.relname FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = CAST('outbox_archive' AS regclass) AND c.relname ~ '_[0-9]{8}$'
""")
_FORGET = {
    "inbox": text(f"""
        DELETE FROM inbox WHERE ctid IN (SELECT ctid FROM inbox
        WHERE status = 'done' AND created_at < now() - interval '{INBOX_DAYS} days' LIMIT {DELETE_BATCH})
        RETURNING 1"""),
    "idempotency_key": text(f"""
        DELETE FROM idempotency_key WHERE ctid IN (SELECT ctid FROM idempotency_key
        WHERE created_at < now() - interval '{IDEMPOTENCY_DAYS} days' LIMIT {DELETE_BATCH})
        RETURNING 1"""),
}


async def run_upkeep(database: Database) -> None:
    """Until cancelled: tidy now and then every hour. Replicas take turns by an advisory lock."""
    while True:
        try:
            await tidy(database)
        except Exception as error:
            if not is_database_away(error):
                raise
            log.warning("upkeep.database_away", schema=database.schema)
        await asyncio.sleep(INTERVAL_SECONDS)


async def tidy(database: Database) -> None:
    async with database.transaction() as session:
        if not await session.scalar(text("SELECT pg_try_advisory_xact_lock(hashtext(current_schema() || ' upkeep'))")):
            return
        await _keep_partitions(session, datetime.now(UTC))
    for statement in _FORGET.values():
        while True:
            async with database.transaction() as session:
                if len((await session.execute(statement)).all()) < DELETE_BATCH:
                    break


async def _keep_partitions(session: AsyncSession, now: datetime) -> None:
    """A partition for tomorrow and the day after (today's rows may lie in the default one already), none too old."""
    today = now.date()
    existing = set(await session.scalars(_PARTITIONS))
    for ahead in (1, 2):
        day = today + timedelta(days=ahead)
        name = f"outbox_archive_{day:%Y%m%d}"
        if name not in existing:
            await session.execute(
                text(
                    f"CREATE TABLE {name} PARTITION OF outbox_archive"
                    f" FOR VALUES FROM ('{day} 00:00:00+00') TO ('{day + timedelta(days=1)} 00:00:00+00')"
                )
            )
    oldest = f"outbox_archive_{today - timedelta(days=ARCHIVE_DAYS):%Y%m%d}"
    for name in sorted(existing):
        if name < oldest:
            await session.execute(text(f"DROP TABLE {name}"))
    await session.execute(
        text(f"DELETE FROM outbox_archive_default WHERE archived_at < now() - interval '{ARCHIVE_DAYS} days'")
    )
