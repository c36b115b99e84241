"""Measures what waits in a service's tables, when Prometheus asks: events unsent, messages put aside, messages dead."""

import asyncio
from collections.abc import Sequence

import structlog
from sqlalchemy import text

from stockbuddy.chassis import metrics
from stockbuddy.chassis.database import Database

log = structlog.get_logger(__name__)

PATIENCE_SECONDS = 2
STATES = ("retry", "parked", "dead")

_OUTBOX = text("""
    SELECT count(*) AS events, coalesce(extract(epoch FROM now() - min(created_at)), 0) AS oldest_seconds FROM outbox
""")
# Said in two parts, because each has an index of its own and the table is long.
_INBOX = text("""
    SELECT consumer, status, count(*) AS messages FROM inbox WHERE status IN ('retry', 'parked') GROUP BY 1, 2
    UNION ALL
    SELECT consumer, status, count(*) FROM inbox WHERE status = 'dead' GROUP BY 1, 2
""")


async def measure(database: Database, groups: Sequence[str]) -> None:
    """Set the gauges of this service. While the database does not answer they keep their last values, which is what
    `stockbuddy_database_up` warns of."""
    up = metrics.DATABASE_UP.labels(database.schema)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), database.reading() as session:
            outbox = (await session.execute(_OUTBOX)).one()
            found = {(row.consumer, row.status): row.messages for row in await session.execute(_INBOX)}
    except Exception as error:
        log.warning("backlog.database_away", schema=database.schema, error=repr(error))
        up.set(0)
        return
    up.set(1)
    metrics.OUTBOX_EVENTS.labels(database.schema).set(outbox.events)
    metrics.OUTBOX_OLDEST_SECONDS.labels(database.schema).set(outbox.oldest_seconds)
    for group in groups:
        for state in STATES:
            metrics.INBOX_MESSAGES.labels(group, state).set(found.get((group, state), 0))
