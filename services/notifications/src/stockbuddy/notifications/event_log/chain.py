"""The hash chain: each entry of the log carries the SHA-256 of the previous hash and its own canonical form.

The canonical form is the JSON array of the entry's columns in the order of `LogEntry`, in UTF-8 and without spaces,
with `at` in UTC to the microsecond, so that the chain can be verified from the table without this program (ADR 5).
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

GENESIS = bytes(32)
"""The previous hash of the first entry."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A row of the event log. `attributes` and `data` are JSON texts exactly as stored."""

    position: int
    event_id: str
    type: str
    subject: str | None
    at: datetime
    actor_id: int | None
    actor: str | None
    client_ip: str | None
    request_id: str | None
    audited: bool
    attributes: str
    data: str


def hash_entry(previous_hash: bytes, entry: LogEntry) -> bytes:
    return hashlib.sha256(previous_hash + to_canonical_form(entry)).digest()


def to_canonical_form(entry: LogEntry) -> bytes:
    columns = (
        entry.position,
        entry.event_id,
        entry.type,
        entry.subject,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.actor_id,
        entry.actor,
        entry.client_ip,
        entry.request_id,
        entry.audited,
        entry.attributes,
        entry.data,
    )
    return orjson.dumps(columns)
