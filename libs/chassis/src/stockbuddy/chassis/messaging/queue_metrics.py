"""Reads outbox and inbox sizes: for operators, and when Prometheus scrapes the service."""

import asyncio
from collections.abc import Sequence

import structlog
from sqlalchemy import text

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime import metrics
from stockbuddy.chassis.runtime.companies import current_company
from stockbuddy.contracts.status import OutboxState, QueueState

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 2
STATES = ("retry", "parked", "dead")

_OUTBOX = text("""
    SELECT coalesce(sum(events), 0) AS events,
           coalesce(extract(epoch FROM now() - min(created_at)), 0) AS oldest_seconds,
           (SELECT count(*) FROM outbox_dead) AS dead
    FROM outbox_chunk WHERE sent_at IS NULL
""")
# Two queries, because each uses a partial index of its own; the table has a row per consumed event.
_INBOX = text("""
    SELECT consumer, status, count(*) AS messages FROM inbox WHERE status IN ('retry', 'parked') GROUP BY 1, 2
    UNION ALL
    SELECT consumer, status, count(*) FROM inbox WHERE status = 'dead' GROUP BY 1, 2
""")


async def read_queues(database: Database, groups: Sequence[str]) -> tuple[OutboxState, list[QueueState]]:
    """The outbox, and the inbox of each group. Raises TimeoutError, or what the database raises."""
    async with asyncio.timeout(TIMEOUT_SECONDS), database.reading() as session:
        outbox = (await session.execute(_OUTBOX)).one()
        found = {(row.consumer, row.status): row.messages for row in await session.execute(_INBOX)}
    queues = [QueueState(group=group, **{state: found.get((group, state), 0) for state in STATES}) for group in groups]
    waiting = OutboxState(events=outbox.events, oldest_seconds=outbox.oldest_seconds, dead=outbox.dead)
    return waiting, queues


async def collect(database: Database, groups: Sequence[str]) -> None:
    """Set the gauges of this service. While the database is unavailable they keep their last values and
    `stockbuddy_database_up` is 0."""
    up = metrics.DATABASE_UP.labels(current_company(), database.schema)
    try:
        outbox, queues = await read_queues(database, groups)
    except Exception as error:
        log.warning("queue_metrics.database_unavailable", schema=database.schema, error=repr(error))
        up.set(0)
        return
    up.set(1)
    metrics.OUTBOX_EVENTS.labels(current_company(), database.schema).set(outbox.events)
    metrics.OUTBOX_EVENTS_DEAD.labels(current_company(), database.schema).set(outbox.dead)
    metrics.OUTBOX_OLDEST_SECONDS.labels(current_company(), database.schema).set(outbox.oldest_seconds)
    for queue in queues:
        for state in STATES:
            metrics.INBOX_MESSAGES.labels(current_company(), queue.group, state).set(getattr(queue, state))
