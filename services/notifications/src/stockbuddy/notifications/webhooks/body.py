"""What a receiver gets: `{id, type, timestamp, subject, data}`, put together from stored text without parsing it."""

import json
from datetime import UTC, datetime
from typing import Any


def body_of(row: Any) -> str:
    """Of an event of the log: `event_id, event_type, at, subject, data` (JSON text)."""
    return _body(row.event_id, row.event_type, row.at, row.subject, row.data)


def sample_body(row: Any) -> str:
    """Of a test: `event_id, event_type, created_at, sample` (JSON text)."""
    return _body(row.event_id, row.event_type, row.created_at, None, row.sample)


def _body(event_id: str, event_type: str, at: datetime, subject: str | None, data: str) -> str:
    told = {
        "id": event_id,
        "type": event_type,
        "timestamp": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "subject": subject,
    }
    return f'{json.dumps(told, separators=(",", ":"))[:-1]},"data":{data}}}'
