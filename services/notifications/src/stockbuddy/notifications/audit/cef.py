"""The Common Event Format (version 0), which a SIEM reads over syslog: one line per audited entry."""

import json
from collections.abc import Mapping

from stockbuddy.notifications.audit.queries import AuditRow
from stockbuddy.notifications.event_log.patterns import matches_any

_SEVERITIES: Mapping[int, tuple[str, ...]] = {
    8: ("auth.user.locked_out", "auth.factor.disabled", "*.erased"),
    6: ("auth.user.login_failed", "auth.access.denied", "auth.user.role_changed", "auth.*.revoked"),
}
DEFAULT_SEVERITY = 3
MAX_DATA_LENGTH = 8000
"""Syslog servers cut longer messages."""


def to_cef(row: AuditRow) -> str:
    """Labelled custom strings have the fields that CEF has no key for."""
    header = ("CEF:0", "Stockbuddy", "Stockbuddy", "1", row.type, row.type, str(_severity(row.type)))
    extension = {
        "rt": str(int(row.at.timestamp() * 1000)),
        "externalId": str(row.id),
        "src": row.client_ip,
        "suid": None if row.actor_id is None else str(row.actor_id),
        "suser": row.actor,
        "cs1Label": "subject",
        "cs1": row.subject,
        "cs2Label": "requestId",
        "cs2": row.request_id,
        "cs3Label": "hash",
        "cs3": row.hash.hex(),
        "msg": json.dumps(json.loads(row.data), ensure_ascii=False, separators=(",", ":"))[:MAX_DATA_LENGTH],
    }
    pairs = " ".join(f"{key}={_escape_extension(value)}" for key, value in extension.items() if value is not None)
    return "|".join([header[0], *(_escape_header(field) for field in header[1:]), pairs])


def _severity(event_type: str) -> int:
    return next((level for level, types in _SEVERITIES.items() if matches_any(types, event_type)), DEFAULT_SEVERITY)


def _escape_header(field: str) -> str:
    return field.replace("\\", "\\\\").replace("|", "\\|").replace("\r", " ").replace("\n", " ")


def _escape_extension(value: str) -> str:
    return value.replace("\\", "\\\\").replace("=", "\\=").replace("\r", "\\r").replace("\n", "\\n")
