"""Appends to the log: one lock, one insert, whatever the size of the batch.

The head's row is locked until the commit, so positions are given and become visible in one order: a reader that has
seen a position will never see a smaller one appear.
"""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging.bus import Message
from stockbuddy.notifications.event_log.ingest import chained, entries_from

_LOCK_HEAD = text("""
    SELECT position, hash,
           ARRAY(SELECT CAST(event_id AS text) FROM event_log WHERE event_id = ANY(CAST(:event_ids AS uuid[]))) AS known
    FROM event_log_head FOR UPDATE
""")
_APPEND = text("""
    WITH appended AS (
        INSERT INTO event_log (position, event_id, type, subject, at, actor_id, actor, client_ip, request_id,
                               audited, attributes, data, hash)
        SELECT * FROM unnest(
            CAST(:position AS bigint[]), CAST(:event_id AS uuid[]), CAST(:type AS text[]), CAST(:subject AS text[]),
            CAST(:at AS timestamptz[]), CAST(:actor_id AS bigint[]), CAST(:actor AS text[]),
            CAST(:client_ip AS text[]), CAST(:request_id AS text[]), CAST(:audited AS boolean[]),
            CAST(:attributes AS json[]), CAST(:data AS json[]), CAST(:hash AS bytea[])))
    UPDATE event_log_head SET position = :last_position, audited = audited + :newly_audited, hash = :last_hash
""")
_COLUMNS = (
    *("position", "event_id", "type", "subject", "at", "actor_id", "actor", "client_ip", "request_id"),
    *("audited", "attributes", "data"),
)


async def append(session: AsyncSession, messages: Sequence[Message]) -> None:
    """Add the messages at the end, in their order, without those that are there already."""
    head = (await session.execute(_LOCK_HEAD, {"event_ids": [message.id for message in messages]})).one()
    known = set(head.known)
    entries = entries_from([message for message in messages if message.id not in known], head.position)
    if not entries:
        return
    hashes = chained(entries, head.hash)
    columns = {name: [getattr(entry, name) for entry in entries] for name in _COLUMNS}
    ends = {
        "last_position": entries[-1].position,
        "last_hash": hashes[-1],
        "newly_audited": sum(entry.audited for entry in entries),
    }
    await session.execute(_APPEND, columns | ends | {"hash": hashes})
