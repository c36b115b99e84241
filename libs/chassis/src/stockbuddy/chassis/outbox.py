"""The transactional outbox: what a service has to say, written in the transaction that made it true.

Rows are spread over a few shards by partition key; a relay works through one shard at a time, which keeps the order
of each subject. Ids are UUIDv7 (RFC 9562), attributes those of CloudEvents 1.0.
"""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

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


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One event, ready to be written. `headers` and `payload` are JSON texts."""

    shard: int
    event_id: str
    routing_key: str
    headers: str
    payload: str
    partition_key: str


def row(event: Event, origin: Origin | None = None) -> OutboxRow:
    """The outbox row of an event that happens now, caused by `origin` (default: the current one)."""
    origin = origin or current_origin()
    subject = event.subject()
    event_id = str(uuid_utils.uuid7())
    attributes: dict[str, Any] = {
        "specversion": "1.0",
        "id": event_id,
        "source": event.source(),
        "type": event.type,
        "subject": subject,
        "time": datetime.now(UTC).isoformat(),
        "dataschema": event.dataschema(),
        "datacontenttype": "application/json",
        "partitionkey": subject,
        "sequence": event.sequence(),
        "actorid": origin.actor_id,
        "actorname": origin.actor_name,
        "clientip": origin.client_ip,
        "requestid": origin.request_id,
        "traceparent": origin.traceparent,
    }
    headers = {name: str(value) for name, value in attributes.items() if value is not None}
    return OutboxRow(shard_of(subject), event_id, event.type, json.dumps(headers), event.model_dump_json(), subject)


def shard_of(partition_key: str) -> int:
    return zlib.crc32(partition_key.encode()) % SHARDS


def columns(rows: Sequence[OutboxRow]) -> tuple[list[Any], ...]:
    """The rows as columns, in the order of `INSERT`."""
    return (
        [r.shard for r in rows],
        [r.event_id for r in rows],
        [r.routing_key for r in rows],
        [r.headers for r in rows],
        [r.payload for r in rows],
        [r.partition_key for r in rows],
    )


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
