"""Appends to the event log: one row lock and one insert per batch."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging.bus import Message
from stockbuddy.chassis.postgres.database import signal_on_commit
from stockbuddy.notifications.event_log.ingest import chain_hashes, to_entries

APPENDED = "event_log.appended"
"""The commit signal of transactions that append."""

# The head stays locked until the commit, so positions become visible in order: a reader that has seen a position never
# sees a smaller one appear.
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


async def append_messages(session: AsyncSession, messages: Sequence[Message]) -> None:
    """Append the messages in their order, except those that are in the log already."""
    head = (await session.execute(_LOCK_HEAD, {"event_ids": [message.id for message in messages]})).one()
    known = set(head.known)
    entries = to_entries([message for message in messages if message.id not in known], head.position)
    if not entries:
        return
    hashes = chain_hashes(entries, head.hash)
    columns = {name: [getattr(entry, name) for entry in entries] for name in _COLUMNS}
    new_head = {
        "last_position": entries[-1].position,
        "last_hash": hashes[-1],
        "newly_audited": sum(entry.audited for entry in entries),
    }
    await session.execute(_APPEND, columns | new_head | {"hash": hashes})
    signal_on_commit(session, APPENDED)
