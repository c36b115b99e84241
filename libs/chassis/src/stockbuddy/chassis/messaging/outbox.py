"""The transactional outbox: events are rows inserted in the transaction of the change that they describe, so an event
is published if and only if the change committed.

Rows are spread over shards by partition key; a relay publishes one shard at a time, which keeps the order of each
subject. Ids are UUIDv7 (RFC 9562), attributes those of CloudEvents 1.0.
"""

import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any, NamedTuple

import uuid_utils
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging.bus import EventTooLarge
from stockbuddy.chassis.postgres.database import Database, signal_on_commit
from stockbuddy.chassis.runtime.event_context import EventContext, current_event_context
from stockbuddy.contracts.event import Event

SHARDS = 4
COMMITTED = "outbox.committed"
"""The commit signal of transactions with events."""
MAX_EVENT_BYTES = 4 * 1024 * 1024
"""Attributes and payload as JSON. RabbitMQ 4 accepts 16 MiB by default; a sale of 1,000 lines is about 0.2 MiB."""


class OutboxRow(NamedTuple):
    """One event, ready to be inserted. `headers` and `payload` are JSON texts."""

    shard: int
    event_id: str
    routing_key: str
    headers: str
    payload: str
    partition_key: str


_COLUMN_TYPES = dict(zip(OutboxRow._fields, ("smallint", "uuid", "text", "json", "json", "text"), strict=True))


def insert_from_arrays(first_parameter: int = 1) -> str:
    """For callers that insert through asyncpg; the parameters, from `first_parameter` on, are `columns(rows)`."""
    arrays = (f"${number}::{kind}[]" for number, kind in enumerate(_COLUMN_TYPES.values(), first_parameter))
    return f"INSERT INTO outbox ({', '.join(_COLUMN_TYPES)}) SELECT * FROM unnest({', '.join(arrays)})"


INSERT = insert_from_arrays()


def row(event: Event, context: EventContext | None = None) -> OutboxRow:
    """The outbox row of an event that happens now, in `context` (default: the current one)."""
    return prebuilt_row(
        type(event),
        event.subject(),
        event.sequence(),
        event.model_dump_json(),
        context or current_event_context(),
        datetime.now(UTC).isoformat().replace("+00:00", "Z"),
    )


def prebuilt_row(
    event_type: type[Event], subject: str, sequence: int | None, payload: str, context: EventContext, time: str
) -> OutboxRow:
    """Like `row`, for an event whose JSON payload is already built; high-volume producers skip Pydantic this way.
    Raises EventTooLarge."""
    event_id = str(uuid_utils.uuid7())
    quoted_subject = _quoted(subject)
    headers = (
        f'{{{_constant_attributes(event_type)}"id": "{event_id}", "subject": {quoted_subject}, '
        f'"partitionkey": {quoted_subject}, "time": "{time}"{_context_attributes(context)}'
    )
    headers += "}" if sequence is None else f', "sequence": "{sequence}"}}'
    if len(payload.encode()) + len(headers) > MAX_EVENT_BYTES:
        raise EventTooLarge(event_type.type)
    shard = shard_of(subject)
    context.event_ids[shard] = event_id
    return OutboxRow(shard, event_id, event_type.type, headers, payload, subject)


@lru_cache(maxsize=1024)
def _constant_attributes(event_type: type[Event]) -> str:
    attributes = {
        "specversion": "1.0",
        "source": event_type.source(),
        "type": event_type.type,
        "dataschema": event_type.dataschema(),
        "datacontenttype": "application/json",
    }
    return "".join(f'"{name}": {_quoted(value)}, ' for name, value in attributes.items())


@lru_cache(maxsize=1024)
def _context_attributes(context: EventContext) -> str:
    attributes = {
        "actorid": context.actor_id,
        "actorname": context.actor_name,
        "clientip": context.client_ip,
        "requestid": context.request_id,
        "traceparent": context.traceparent,
    }
    return "".join(f', "{name}": {_quoted(str(value))}' for name, value in attributes.items() if value is not None)


def shard_of(partition_key: str) -> int:
    return zlib.crc32(partition_key.encode()) % SHARDS


def columns(rows: Sequence[OutboxRow]) -> tuple[Sequence[Any], ...]:
    """The rows as columns, in the order of `insert_from_arrays`."""
    return tuple(zip(*rows, strict=True)) if rows else ([],) * len(OutboxRow._fields)


def add(session: AsyncSession, *events: Event) -> None:
    """Publish `events`, in this order, if and only if `session` commits."""
    session.info.setdefault("outbox", []).extend(row(event) for event in events)


def mark_inserted(session: AsyncSession) -> None:
    """Wake the relay when `session` commits: outbox rows were inserted through its connection, without `add`."""
    signal_on_commit(session, COMMITTED)


_INSERT_ONE = text(
    "INSERT INTO outbox (shard, event_id, routing_key, headers, payload, partition_key)"
    " VALUES (:shard, :event_id, :routing_key, CAST(:headers AS json), CAST(:payload AS json), :partition_key)"
)


async def insert_added(session: AsyncSession) -> None:
    """Insert the events added to the session; `Database.transaction` calls it before it commits."""
    if rows := session.info.pop("outbox", []):
        await session.execute(_INSERT_ONE, [row._asdict() for row in rows])
        signal_on_commit(session, COMMITTED)


def open_database(url: str, schema: str, *, pool_size: int = 10) -> Database:
    """A database whose transactions insert the events added to their session."""
    return Database(url, schema, pool_size=pool_size, before_commit=insert_added)
