"""Hourly maintenance of the chassis' tables: archive partitions, and deletion of expired inbox and idempotency rows."""

from sqlalchemy import text

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.background import PollingWorker

INTERVAL_SECONDS = 3600
INBOX_DAYS = 30
IDEMPOTENCY_DAYS = 8
DELETE_BATCH_SIZE = 10_000
"""Small enough that a batch holds its row locks for well under a second."""

# One replica per round; the others skip it.
_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtext(current_schema() || ' maintenance'))")
_DELETE_EXPIRED = (
    text(f"""
        DELETE FROM inbox WHERE ctid IN (SELECT ctid FROM inbox
        WHERE status = 'done' AND created_at < now() - interval '{INBOX_DAYS} days' LIMIT {DELETE_BATCH_SIZE})
        RETURNING 1"""),
    text(f"""
        DELETE FROM idempotency_key WHERE ctid IN (SELECT ctid FROM idempotency_key
        WHERE created_at < now() - interval '{IDEMPOTENCY_DAYS} days' LIMIT {DELETE_BATCH_SIZE})
        RETURNING 1"""),
)


def maintenance_worker(database: Database) -> PollingWorker:
    async def run() -> None:
        await maintain(database)

    return PollingWorker(f"{database.schema}.maintenance", run, interval_seconds=INTERVAL_SECONDS)


async def maintain(database: Database) -> None:
    """One round. Does nothing if another replica holds the advisory lock."""
    async with database.transaction() as session:
        if not await session.scalar(_TRY_LOCK):
            return
        await session.execute(text("SELECT keep_archive()"))
    for statement in _DELETE_EXPIRED:
        while True:
            async with database.transaction() as session:
                if len((await session.execute(statement)).all()) < DELETE_BATCH_SIZE:
                    break
