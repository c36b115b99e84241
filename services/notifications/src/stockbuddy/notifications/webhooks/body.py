"""Request bodies of deliveries: `{id, type, timestamp, subject, data}`, concatenated from stored JSON texts."""

import json
from datetime import UTC, datetime
from typing import Any

from stockbuddy.notifications.event_log.field_permissions import FIELD_PERMISSIONS, visible_data


def to_event_body(row: Any) -> str:
    """`row`: `event_id, event_type, at, subject, data` (JSON text) of an event of the log, and the
    `field_permissions` of the webhook (null: all)."""
    permissions = FIELD_PERMISSIONS if row.field_permissions is None else frozenset(row.field_permissions)
    data = visible_data(row.event_type, row.data, permissions)
    return _to_body(row.event_id, row.event_type, row.at, row.subject, data)


def to_sample_body(row: Any) -> str:
    """`row`: `event_id, event_type, created_at, sample` (JSON text) of a test."""
    return _to_body(row.event_id, row.event_type, row.created_at, None, row.sample)


def _to_body(event_id: str, event_type: str, at: datetime, subject: str | None, data: str) -> str:
    head = {
        "id": event_id,
        "type": event_type,
        "timestamp": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "subject": subject,
    }
    return f'{json.dumps(head, separators=(",", ":"))[:-1]},"data":{data}}}'
