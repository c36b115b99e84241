"""Publishes the event log, in its order, to consumers outside the system: each event is a message of its own.

One replica at a time does, the one that holds the row with the position reached. The position moves after the broker
has confirmed the events, so they are published at least once.
"""

import json

import asyncpg
import structlog

from stockbuddy.chassis.messaging.bus import EventRefused, PublishExternally
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.background import PollingWorker
from stockbuddy.notifications.event_log.append import APPENDED

log = structlog.get_logger(__name__)

BATCH_SIZE = 500
POLL_INTERVAL_SECONDS = 1.0
# synchronous_commit is off, because the broker has the events already: if PostgreSQL loses the new position in a crash,
# they are published again.
_LOCK_POSITION = """
    SELECT position, set_config('synchronous_commit', 'off', true) FROM event_log_published FOR UPDATE SKIP LOCKED
"""
_READ = """
    SELECT position, type, client_ip, CAST(attributes AS text) AS attributes, CAST(data AS text) AS data
    FROM event_log WHERE position > $1 ORDER BY position LIMIT $2
"""
_MOVE = "UPDATE event_log_published SET position = $1"


class ExternalPublisher:
    """Publishes what the log receives after the position reached."""

    def __init__(self, database: Database, publish: PublishExternally) -> None:
        self._database = database
        self._publish = publish

    def worker(self) -> PollingWorker:
        """Woken by appends of this process; polls for those of other replicas."""
        worker = PollingWorker(
            "notifications.external_publisher", self._publish_batch, interval_seconds=POLL_INTERVAL_SECONDS
        )
        self._database.on_commit(APPENDED, worker.wake)
        return worker

    async def _publish_batch(self) -> bool:
        """Returns whether there may be more."""
        async with self._database.raw() as connection, connection.transaction():
            reached = await connection.fetchrow(_LOCK_POSITION)
            rows = [] if reached is None else await connection.fetch(_READ, reached["position"], BATCH_SIZE)
            if rows:
                await self._publish_events([_to_message(row) for row in rows])
                await connection.execute(_MOVE, rows[-1]["position"])
        return len(rows) == BATCH_SIZE

    async def _publish_events(self, messages: list[Message]) -> None:
        """Leave out, one by one, events that the broker can never accept: they must not hold up the others, and the
        log keeps them."""
        try:
            await self._publish(messages)
        except EventRefused as error:
            if len(messages) > 1:
                for message in messages:
                    await self._publish_events([message])
            else:
                log.error("external_publisher.event_refused", event_id=messages[0].id, error=repr(error))


def _to_message(row: asyncpg.Record) -> Message:
    attributes = json.loads(row["attributes"])
    if row["client_ip"] is not None:
        attributes["clientip"] = row["client_ip"]
    return Message(attributes["id"], row["type"], attributes, row["data"].encode())
