"""The relay: carries committed events from the outbox to the bus, in order per subject, at least once.

Any number of relays may run. Each takes *shard* rows (locking message rows put 57 % out of order),
and rows leave the table when the bus has them (a cursor skipped 45 % under concurrent writers).
"""

import asyncio
import json

import asyncpg
import structlog
from tenacity import AsyncRetrying, retry_if_exception, wait_random_exponential

from stockbuddy.chassis import metrics
from stockbuddy.chassis.bus import Bus, BusAway, Message
from stockbuddy.chassis.database import Database, is_database_away
from stockbuddy.chassis.outbox import SHARDS

log = structlog.get_logger(__name__)

BATCH = 200
POLL_SECONDS = 0.2
PUBLISH_SECONDS = 10
LONGEST_PAUSE_SECONDS = 5

# This transaction need not wait for the disk: the bus has the messages, and what a crash of the database undoes of it
# is sent again and dropped by every inbox.
_TAKE_SHARDS = """
    SELECT s.shard, set_config('synchronous_commit', 'off', true)
    FROM outbox_shard s
    CROSS JOIN LATERAL (SELECT o.id FROM outbox o WHERE o.shard = s.shard ORDER BY o.id LIMIT 1) oldest
    ORDER BY oldest.id LIMIT $1 FOR UPDATE OF s SKIP LOCKED
"""
"""Free ones, those first whose turn it is. Drawn at random, a shard had to wait ten turns once in a hundred."""
_READ = """
    SELECT o.shard, o.id, o.event_id, o.routing_key, o.headers, o.payload
    FROM unnest($1::smallint[]) AS taken(shard) CROSS JOIN LATERAL (
        SELECT shard, id, CAST(event_id AS text) AS event_id, routing_key,
               CAST(headers AS text) AS headers, CAST(payload AS text) AS payload
        FROM outbox WHERE shard = taken.shard ORDER BY id LIMIT $2) o
    ORDER BY o.id LIMIT $2
"""
_ARCHIVE = """
    WITH sent AS (DELETE FROM outbox
                  WHERE (shard, id) IN (SELECT * FROM unnest($1::smallint[], $2::bigint[]))
                  RETURNING shard, id, event_id, routing_key, headers, payload, partition_key, created_at)
    INSERT INTO outbox_archive (shard, id, event_id, routing_key, headers, payload, partition_key, created_at)
    SELECT * FROM sent
"""


class Relay:
    """Runs until cancelled; the batch in flight when `stop` is called is finished."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._bus = bus
        self._work = asyncio.Event()
        self._stopping = asyncio.Event()
        self._is_behind = False
        database.on_event_committed(self._work.set)

    def stop(self) -> None:
        self._stopping.set()
        self._work.set()

    async def run(self) -> None:
        while not self._stopping.is_set():
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._work.wait()
            except TimeoutError:
                pass  # Somebody else's replica may have died with events of its own unsent.
            self._work.clear()
            try:
                await self._drain()
            except Exception as error:
                if not (self._stopping.is_set() and _may_pass(error)):
                    raise
                # Where everything ends together the database may be gone first; its outbox keeps what is unsent.
                log.warning("relay.stopped_with_events_unsent", schema=self._database.schema, error=repr(error))

    async def _drain(self) -> None:
        """Send until nothing is left, through whatever the bus and the database do in between."""
        async for attempt in AsyncRetrying(
            retry=retry_if_exception(lambda error: not self._stopping.is_set() and _may_pass(error)),
            wait=wait_random_exponential(multiplier=0.1, max=LONGEST_PAUSE_SECONDS),
            before_sleep=lambda state: log.warning(
                "relay.waiting",
                schema=self._database.schema,
                error=repr(state.outcome.exception() if state.outcome else None),
            ),
        ):
            with attempt:
                async with self._database.raw() as connection:
                    while not self._stopping.is_set() and await self._send_batch(connection):
                        pass

    async def _send_batch(self, connection: asyncpg.Connection) -> int:
        """Move up to BATCH events of free shards to the bus; how many were moved.

        As long as that is all there is, of every free shard at once; when more is waiting, of one, so that other
        relays find something to do.
        """
        async with connection.transaction():
            shards = await connection.fetch(_TAKE_SHARDS, 1 if self._is_behind else SHARDS)
            rows = await connection.fetch(_READ, [row["shard"] for row in shards], BATCH) if shards else []
            if rows:
                async with asyncio.timeout(PUBLISH_SECONDS):
                    await self._bus.publish([_message(*row[2:]) for row in rows])
                await connection.execute(_ARCHIVE, [row["shard"] for row in rows], [row["id"] for row in rows])
        self._is_behind = len(rows) == BATCH
        metrics.EVENTS_PUBLISHED.labels(self._database.schema).inc(len(rows))
        return len(rows)


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, (BusAway, TimeoutError)) or is_database_away(error)


def _message(event_id: str, routing_key: str, headers: str, payload: str) -> Message:
    return Message(event_id, routing_key, json.loads(headers), payload.encode())
