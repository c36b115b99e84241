"""The archive: a service's published chunks of the last 7 days, replayed in order into a queue that was lost."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence

from sqlalchemy import text

from stockbuddy.chassis.messaging.chunks import Chunk
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.contracts.topology import types_for

BATCH_SIZE = 200
RETRY_INTERVAL_SECONDS = 1.0

# Wait until every relay has finished its current batch: such a batch may have been published before the queue existed.
# Later events are routed to the queue directly.
_WAIT_FOR_RELAYS = text("SELECT shard FROM outbox_shard ORDER BY shard FOR UPDATE")
_READ = text("""
    SELECT id, types, body FROM outbox_chunk WHERE sent_at IS NOT NULL AND id > :id ORDER BY id LIMIT :batch
""")


_FIND_NEW_GROUPS = text("""
    SELECT name FROM unnest(CAST(:groups AS text[])) name WHERE name NOT IN (SELECT name FROM outbox_group)
""")
_ADD_GROUPS = text("""
    INSERT INTO outbox_group (name) SELECT unnest(CAST(:groups AS text[])) ON CONFLICT DO NOTHING
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

    async def find_new_groups(self, groups: Iterable[str]) -> list[str]:
        """Those of the consumer groups that this service has not published to yet."""
        async with self._database.reading() as session:
            return list(await session.scalars(_FIND_NEW_GROUPS, {"groups": list(groups)}))

    async def add_groups(self, groups: Iterable[str]) -> None:
        """Record that this service publishes to the groups."""
        async with self._database.transaction() as session:
            await session.execute(_ADD_GROUPS, {"groups": list(groups)})

    async def read(self, patterns: Sequence[str]) -> AsyncIterator[list[Chunk]]:
        """The archived events whose type matches one of the topic patterns, in batches of chunks."""
        await self._wait_for_relays()
        last_id, wanted_patterns = -1, tuple(patterns)
        while True:
            async with self._database.reading() as session:
                rows = (await session.execute(_READ, {"id": last_id, "batch": BATCH_SIZE})).all()
            if not rows:
                return
            last_id = rows[-1].id
            chunks = [Chunk.stored(row.types, row.body) for row in rows]
            wanted = [chunk.only(types_for(wanted_patterns, chunk.types)) for chunk in chunks]
            yield [chunk for chunk in wanted if chunk is not None]
