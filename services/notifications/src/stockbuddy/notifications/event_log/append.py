"""Appends to the event log: one row lock and one insert per batch, in one statement while no other process appends."""

from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.postgres.database import Database, driver_connection, signal_on_commit
from stockbuddy.notifications.event_log.erasure import erase_persons_of, is_erasure
from stockbuddy.notifications.event_log.ingest import ReceivedEvent, chain_hashes
from stockbuddy.notifications.event_log.placeholder_queries import store_values

APPENDED = "event_log.appended"
"""The commit signal of transactions that append."""

# The head stays locked until the commit, so positions become visible in order: a reader that has seen a position never
# sees a smaller one appear.
_LOCK_HEAD = text("""
    SELECT position, hash,
           ARRAY(SELECT CAST(event_id AS text) FROM event_log WHERE event_id = ANY(CAST(:event_ids AS uuid[]))) AS known
    FROM event_log_head FOR UPDATE
""")
_READ_HEAD = "SELECT position, hash FROM event_log_head"
# The head is compared with the one that the entries were computed from: if another process has appended meanwhile,
# nothing is inserted. An event that is in the log already violates a constraint.
_APPEND = """
    WITH moved AS (
        UPDATE event_log_head SET position = $14, hash = $15, audited = audited + $16
        WHERE (position, hash) = ($17, $18) RETURNING true)
    INSERT INTO event_log (position, event_id, type, subject, at, actor_id, actor, client_ip, request_id,
                           audited, attributes, data, hash)
    SELECT entry.* FROM moved, unnest(
        $1::bigint[], CAST($2::text[] AS uuid[]), $3::text[], $4::text[], $5::timestamptz[], $6::bigint[], $7::text[],
        $8::text[], $9::text[], $10::boolean[], CAST($11::text[] AS json[]), CAST($12::text[] AS json[]), $13::bytea[]
    ) entry
"""
_get_columns = attrgetter(
    *("position", "event_id", "type", "subject", "at", "actor_id", "actor", "client_ip", "request_id"),
    *("audited", "attributes", "data"),
)


class Head(NamedTuple):
    """The last entry of the log."""

    position: int
    hash: bytes


class Appender:
    """Appends deliveries at the head that this process has seen last."""

    def __init__(self) -> None:
        self._head: Head | None = None

    async def append(self, database: Database, messages: Sequence[Message]) -> bool:
        """Append the messages in their order. False, without an effect, if another process has appended meanwhile or a
        message is an erasure, which needs a transaction. Raises UniqueViolationError, without an effect, if one of them
        is in the log already."""
        if any(is_erasure(message) for message in messages):
            return False
        head, self._head = self._head, None  # unknown again if this fails
        async with database.raw() as connection:
            if head is None:
                head = Head(*await connection.fetchrow(_READ_HEAD))
            unique = {message.id: message for message in messages}
            appended = await _append(connection, list(unique.values()), head)
        if appended is None:
            return False
        self._head = appended
        database.notify(APPENDED)
        return True


async def _append(connection: asyncpg.Connection, messages: Sequence[Message], head: Head) -> Head | None:
    """The new head; None if `head` is not the log's head any more. Raises PermanentFailure if a message's data is not
    JSON."""
    events = [ReceivedEvent.parse(message) for message in messages]
    values = {owned for event in events for owned in event.personal_values()}
    placeholders = await store_values(connection, values)
    entries = [event.to_entry(position, placeholders) for position, event in enumerate(events, head.position + 1)]
    hashes = chain_hashes(entries, head.hash)
    columns = zip(*map(_get_columns, entries), strict=True)
    new_head = Head(entries[-1].position, hashes[-1])
    newly_audited = sum(entry.audited for entry in entries)
    status = await connection.execute(_APPEND, *columns, hashes, *new_head, newly_audited, *head)
    return new_head if status == f"INSERT 0 {len(entries)}" else None


async def append_messages(session: AsyncSession, messages: Sequence[Message]) -> None:
    """Append the messages in their order, except those that are in the log already. With the event of an erasure the
    personal values of its persons are deleted."""
    head = (await session.execute(_LOCK_HEAD, {"event_ids": [message.id for message in messages]})).one()
    known = set(head.known)
    unknown = [message for message in messages if message.id not in known]
    if unknown:
        await _append(await driver_connection(session), unknown, Head(head.position, head.hash))
        signal_on_commit(session, APPENDED)
        for message in filter(is_erasure, unknown):
            await erase_persons_of(session, message)
