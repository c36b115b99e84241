"""The archive: a service's published events of the last 7 days, replayed in order into a queue that was lost."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from sqlalchemy import text

from stockbuddy.chassis.messaging.bus import Message
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.contracts.topology import matches

BATCH_SIZE = 200
RETRY_INTERVAL_SECONDS = 1.0
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

# Wait until every relay has finished its current batch: such a batch may have been published before the queue existed.
# Later events are routed to the queue directly.
_WAIT_FOR_RELAYS = text("SELECT shard FROM outbox_shard ORDER BY shard FOR UPDATE")
_READ = text("""
    SELECT shard, id, archived_at, CAST(event_id AS text) AS event_id, routing_key,
           CAST(headers AS text) AS headers, CAST(payload AS text) AS payload
    FROM outbox_archive
    WHERE (archived_at, shard, id) > (:archived_at, :shard, :id)
    ORDER BY archived_at, shard, id LIMIT :batch
""")


class Archive:
    """One service's archive."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def wait_until_ready(self) -> None:
        while True:
            try:
                return await self._wait_for_relays()
            except Exception:  # any failure means: not readable yet
                await asyncio.sleep(RETRY_INTERVAL_SECONDS)

    async def _wait_for_relays(self) -> None:
        async with self._database.transaction() as session:
            await session.execute(_WAIT_FOR_RELAYS)

    async def read(self, patterns: Sequence[str]) -> AsyncIterator[list[Message]]:
        """The archived events whose type matches one of the topic patterns, in batches."""
        await self._wait_for_relays()
        position = {"archived_at": _BEGINNING, "shard": -1, "id": -1}
        while True:
            async with self._database.reading() as session:
                rows = (await session.execute(_READ, position | {"batch": BATCH_SIZE})).all()
            if not rows:
                return
            last = rows[-1]
            position = {"archived_at": last.archived_at, "shard": last.shard, "id": last.id}
            wanted = [row for row in rows if any(matches(pattern, row.routing_key) for pattern in patterns)]
            if wanted:
                yield [Message(r.event_id, r.routing_key, json.loads(r.headers), r.payload.encode()) for r in wanted]
