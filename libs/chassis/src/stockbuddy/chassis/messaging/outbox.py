"""The transactional outbox: events are inserted in the transaction of the change that they describe, so an event is
published if and only if the change committed.

They are spread over shards by partition key, and a transaction inserts one chunk (docs/adr/0021) for each shard; one
relay at a time publishes a shard, which keeps the order of each subject. Ids are UUIDv7 (RFC 9562), attributes those of
CloudEvents 1.0.
"""

import zlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any, NamedTuple

import uuid_utils
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging.bus import EventTooLarge
from stockbuddy.chassis.messaging.chunks import Chunk, event_text, join
from stockbuddy.chassis.postgres.database import Database, signal_on_commit
from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.event_context import EventContext, current_event_context
from stockbuddy.chassis.runtime.pooler import Pooler
from stockbuddy.chassis.runtime.signals import Signals
from stockbuddy.contracts.event import Event

SHARDS = 4
COMMITTED = "outbox.committed"
"""The commit signal of transactions with events."""
MAX_EVENT_BYTES = 4 * 1024 * 1024
"""Attributes and payload as JSON. RabbitMQ 4 accepts 16 MiB by default; a sale of 1,000 lines is about 0.2 MiB."""


class OutboxEvent(NamedTuple):
    """One event, ready to be inserted; `text` is the event as JSON."""

    shard: int
    type: str
    text: str


_COLUMN_TYPES = {"shard": "smallint", "events": "integer", "types": "text", "body": "text"}
_NAMES = ", ".join(_COLUMN_TYPES)


def insert_from_arrays(first_parameter: int = 1) -> str:
    """For callers that insert through asyncpg; the parameters, from `first_parameter` on, are `columns(events)`."""
    arrays = (f"${number}::{kind}[]" for number, kind in enumerate(_COLUMN_TYPES.values(), first_parameter))
    return f"INSERT INTO outbox_chunk ({_NAMES}) SELECT * FROM unnest({', '.join(arrays)})"


INSERT = insert_from_arrays()


def to_outbox_event(event: Event, context: EventContext | None = None) -> OutboxEvent:
    """The event as it happens now, in `context` (default: the current one). Raises EventTooLarge."""
    return prebuilt_event(
        type(event),
        event.subject(),
        event.sequence(),
        event.model_dump_json(),
        context or current_event_context(),
        clock.now().isoformat().replace("+00:00", "Z"),
    )


def prebuilt_event(
    event_type: type[Event], subject: str, sequence: int | None, payload: str, context: EventContext, time: str
) -> OutboxEvent:
    """Like `to_outbox_event`, for an event whose JSON payload is already built; high-volume producers skip Pydantic
    this way. Raises EventTooLarge."""
    event_id = str(uuid_utils.uuid7())
    quoted_subject = _quoted(subject)
    attributes = (
        f'{{{_constant_attributes(event_type)}"id": "{event_id}", "subject": {quoted_subject}, '
        f'"partitionkey": {quoted_subject}, "time": "{time}"{_context_attributes(context)}'
    )
    attributes += "}" if sequence is None else f', "sequence": "{sequence}"}}'
    if len(payload.encode()) + len(attributes) > MAX_EVENT_BYTES:
        raise EventTooLarge(event_type.type)
    shard = shard_of(subject)
    context.event_ids[shard] = event_id
    return OutboxEvent(shard, event_type.type, event_text(attributes, payload))


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


def columns(events: Sequence[OutboxEvent]) -> tuple[Sequence[Any], ...]:
    """The events in chunks, as columns in the order of `insert_from_arrays`."""
    rows = _chunk_rows(events)
    return tuple(zip(*rows, strict=True)) if rows else ([],) * len(_COLUMN_TYPES)


def _chunk_rows(events: Iterable[OutboxEvent]) -> list[tuple[int, int, str, str]]:
    """One row per shard, or several within the limits of a chunk; each shard keeps the order of its events."""
    by_shard: dict[int, list[Chunk]] = {}
    for event in events:
        by_shard.setdefault(event.shard, []).append(Chunk((event.type,), f"[{event.text}]"))
    return [
        (shard, len(chunk.types), " ".join(chunk.types), chunk.body)
        for shard, singles in by_shard.items()
        for chunk in join(singles)
    ]


def add(session: AsyncSession, *events: Event) -> None:
    """Publish `events`, in this order, if and only if `session` commits."""
    session.info.setdefault("outbox", []).extend(to_outbox_event(event) for event in events)


def mark_inserted(session: AsyncSession) -> None:
    """Wake the relay when `session` commits: outbox rows were inserted through its connection, without `add`."""
    signal_on_commit(session, COMMITTED)


_INSERT_ONE = text(f"INSERT INTO outbox_chunk ({_NAMES}) VALUES (:shard, :events, :types, :body)")


async def insert_added(session: AsyncSession) -> None:
    """Insert the events added to the session; `Database.transaction` calls it before it commits."""
    if events := session.info.pop("outbox", []):
        await session.execute(_INSERT_ONE, [dict(zip(_COLUMN_TYPES, row, strict=True)) for row in _chunk_rows(events)])
        signal_on_commit(session, COMMITTED)


def open_database(
    url: str, schema: str, *, pool_size: int = 10, pooler: Pooler | None = None, signals: Signals | None = None
) -> Database:
    """A database whose transactions insert the events added to their session."""
    return Database(url, schema, pool_size=pool_size, pooler=pooler, before_commit=insert_added, signals=signals)
