"""Housekeeping of the chassis' tables: archive partitions made ahead and dropped in time, old notes forgotten."""

import asyncio

import structlog
from sqlalchemy import text

from stockbuddy.chassis.database import Database, is_database_away

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 3600
INBOX_DAYS = 30
IDEMPOTENCY_DAYS = 8
DELETE_BATCH = 10_000

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
        await session.execute(text("SELECT keep_archive()"))
    for statement in _FORGET.values():
        while True:
            async with database.transaction() as session:
                if len((await session.execute(statement)).all()) < DELETE_BATCH:
                    break
