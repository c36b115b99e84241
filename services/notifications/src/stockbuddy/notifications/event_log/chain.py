"""The chain: each row of the log carries the SHA-256 of its own content and the hash of the row before.

The canonical form is the JSON array of the row's columns in the order of `Entry`, in UTF-8 and without spaces, with
`at` in UTC to the microsecond: whoever can read the table can compute every hash without this program.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime

GENESIS = bytes(32)
"""What the first row takes for the hash of the row before."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the log. `attributes` and `data` are the very JSON texts that are stored."""

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


def link(previous_hash: bytes, entry: Entry) -> bytes:
    """The hash of a row that follows the one with `previous_hash`."""
    return hashlib.sha256(previous_hash + canonical(entry)).digest()


def canonical(entry: Entry) -> bytes:
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
    return json.dumps(columns, ensure_ascii=False, separators=(",", ":")).encode()
