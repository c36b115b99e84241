"""The transactional outbox: what a service has to say, written in the transaction that made it true.

Rows are spread over a few shards by partition key; a relay works through one shard at a time, which keeps the order
of each subject. Ids are UUIDv7 (RFC 9562), attributes those of CloudEvents 1.0.
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

from stockbuddy.chassis.origin import Origin, current_origin
from stockbuddy.contracts.event import Event

SHARDS = 4

INSERT = """
    INSERT INTO outbox (shard, event_id, routing_key, headers, payload, partition_key)
    SELECT * FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::json[], $5::json[], $6::text[])
"""
"""For callers that write with the driver itself; its arguments are `columns(rows)`."""


class OutboxRow(NamedTuple):
    """One event, ready to be written. `headers` and `payload` are JSON texts."""

    shard: int
    event_id: str
    routing_key: str
    headers: str
    payload: str
    partition_key: str


def row(event: Event, origin: Origin | None = None) -> OutboxRow:
    """The outbox row of an event that happens now, caused by `origin` (default: the current one)."""
    return written_row(
        type(event),
        event.subject(),
        event.sequence(),
        event.model_dump_json(),
        origin or current_origin(),
        datetime.now(UTC).isoformat(),
    )


def written_row(
    kind: type[Event], subject: str, sequence: int | None, payload: str, origin: Origin, time: str
) -> OutboxRow:
    """The same, of an event of that kind whose JSON is there already: for whoever says very many of them."""
    event_id = str(uuid_utils.uuid7())
    about = _quoted(subject)
    headers = (
        f'{{{_constant_attributes(kind)}"id": "{event_id}", "subject": {about}, "partitionkey": {about}, '
        f'"time": "{time}"{_attributes_of(origin)}'
    )
    headers += "}" if sequence is None else f', "sequence": "{sequence}"}}'
    return OutboxRow(shard_of(subject), event_id, kind.type, headers, payload, subject)


@lru_cache(maxsize=1024)
def _constant_attributes(kind: type[Event]) -> str:
    attributes = {
        "specversion": "1.0",
        "source": kind.source(),
        "type": kind.type,
        "dataschema": kind.dataschema(),
        "datacontenttype": "application/json",
    }
    return "".join(f'"{name}": {_quoted(value)}, ' for name, value in attributes.items())


@lru_cache(maxsize=1024)
def _attributes_of(origin: Origin) -> str:
    attributes = {
        "actorid": origin.actor_id,
        "actorname": origin.actor_name,
        "clientip": origin.client_ip,
        "requestid": origin.request_id,
        "traceparent": origin.traceparent,
    }
    return "".join(f', "{name}": {_quoted(str(value))}' for name, value in attributes.items() if value is not None)


def shard_of(partition_key: str) -> int:
    return zlib.crc32(partition_key.encode()) % SHARDS


def columns(rows: Sequence[OutboxRow]) -> tuple[Sequence[Any], ...]:
    """The rows as columns, in the order of `INSERT`."""
    return tuple(zip(*rows, strict=True)) if rows else ([],) * len(OutboxRow._fields)


def add(session: AsyncSession, *events: Event) -> None:
    """Say `events` when and only when `session` commits, in this order."""
    session.info.setdefault("outbox", []).extend(row(event) for event in events)


def note_written(session: AsyncSession) -> None:
    """Rows were written past `add`, by the driver itself: wake the relay when `session` commits."""
    session.info["outbox_written"] = True


_INSERT_ONE = text(
    "INSERT INTO outbox (shard, event_id, routing_key, headers, payload, partition_key)"
    " VALUES (:shard, :event_id, :routing_key, CAST(:headers AS json), CAST(:payload AS json), :partition_key)"
)


async def write(session: AsyncSession) -> bool:
    """Write what was added to the session; true if there was anything. `Database.transaction` does it last."""
    rows: list[OutboxRow] = session.info.pop("outbox", [])
    written: bool = session.info.pop("outbox_written", False)
    if not rows:
        return written
    await session.execute(
        _INSERT_ONE,
        [
            {
                "shard": r.shard,
                "event_id": r.event_id,
                "routing_key": r.routing_key,
                "headers": r.headers,
                "payload": r.payload,
                "partition_key": r.partition_key,
            }
            for r in rows
        ],
    )
    return True
