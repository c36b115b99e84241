"""Reads of the audit trail: a selection of the event log, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.notifications.audit.changes import types_of_same_state
from stockbuddy.notifications.event_log.patterns import expression_of
from stockbuddy.notifications.listing import Window


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What an audit list is narrowed to; null means anything. `types` are patterns, `since`/`until` half-open."""

    types: tuple[str, ...] | None = None
    actor_id: int | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    request_id: str | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An audited event; `id` is its position in the log, `data` and `earlier_data` (what the same thing was like
    before) are JSON texts."""

    id: int
    at: datetime
    type: str
    actor_id: int | None
    actor: str | None
    client_ip: str | None
    subject: str | None
    request_id: str | None
    hash: bytes
    data: str
    earlier_data: str | None = None


_TYPES = text("""
    WITH RECURSIVE types AS (
        (SELECT type FROM event_log ORDER BY type LIMIT 1)
        UNION ALL
        SELECT (SELECT e.type FROM event_log e WHERE e.type > t.type ORDER BY e.type LIMIT 1)
        FROM types t WHERE t.type IS NOT NULL)
    SELECT type FROM types WHERE type ~ :wanted
""")
_TOTAL = text("SELECT audited FROM event_log_head")
_EARLIER = text("""
    SELECT q.position, CAST(e.data AS text) AS data
    FROM unnest(CAST(:positions AS bigint[]), CAST(:subjects AS text[]), CAST(:types AS text[]))
             AS q(position, subject, types)
    CROSS JOIN LATERAL (
        SELECT max(latest.position) AS position
        FROM unnest(string_to_array(q.types, ',')) AS t(type)
        CROSS JOIN LATERAL (
            SELECT l.position FROM event_log l
            WHERE l.subject = q.subject AND l.type = t.type AND l.position < q.position
            ORDER BY l.position DESC LIMIT 1) latest) earlier
    JOIN event_log e ON e.position = earlier.position
""")

_CONDITIONS = {
    "types": "type = ANY(:types)",
    "actor_id": "actor_id = :actor_id",
    "subject": "subject = :subject",
    "since": "at >= :since",
    "until": "at < :until",
    "request_id": "request_id = :request_id",
    "search": "event_log_words(type, subject, actor, client_ip, data) @@ to_tsquery('simple', :search)",
}


async def list_entries(session: AsyncSession, narrowed: AuditFilter, window: Window) -> list[AuditRow]:
    """Newest first."""
    conditions, values = await _conditions(session, narrowed)
    rows = await session.execute(
        text(f"""
            SELECT position, at, type, actor_id, actor, client_ip, subject, request_id, hash, CAST(data AS text)
            FROM event_log WHERE {" AND ".join(conditions)} {window.clause("position")}"""),
        values | window.values,
    )
    return await _with_earlier(session, [AuditRow(*row) for row in rows])


async def count_entries(session: AsyncSession, narrowed: AuditFilter) -> int:
    """The whole trail's length is kept in the head; a selection is counted."""
    conditions, values = await _conditions(session, narrowed)
    if len(conditions) == 1:
        return await session.scalar(_TOTAL) or 0
    statement = text(f"SELECT count(*) FROM event_log WHERE {' AND '.join(conditions)}")
    return await session.scalar(statement, values) or 0


async def _conditions(session: AsyncSession, narrowed: AuditFilter) -> tuple[list[str], dict[str, Any]]:
    values = {name: value for name in _CONDITIONS if (value := getattr(narrowed, name)) is not None}
    if narrowed.types is not None:
        values["types"] = list(await session.scalars(_TYPES, {"wanted": expression_of(narrowed.types)}))
    if narrowed.search is not None:
        values["search"] = _prefixes(narrowed.search)
    return ["audited", *(_CONDITIONS[name] for name in values)], values


def _prefixes(search: str) -> str:
    """Every word of the search, as the beginning of a word."""
    words = search.replace("\\", " ").replace("'", " ").replace("/", " ").split()
    return " & ".join(f"'{word}':*" for word in words)


async def _with_earlier(session: AsyncSession, rows: Sequence[AuditRow]) -> list[AuditRow]:
    """Each row with the state before it, if its type carries states and there was one."""
    states = [row for row in rows if types_of_same_state(row.type)]
    found = await session.execute(
        _EARLIER,
        {
            "positions": [row.id for row in states],
            "subjects": [row.subject for row in states],
            "types": [",".join(types_of_same_state(row.type)) for row in states],
        },
    )
    earlier: dict[int, str] = {row.position: row.data for row in found}
    return [replace(row, earlier_data=earlier.get(row.id)) for row in rows]


# For the driver itself: millions of rows pass through here.
CHAIN_HEAD = "SELECT position, audited, hash FROM event_log_head"
CHAIN_PIECE = """
    SELECT position, CAST(event_id AS text), type, subject, at, actor_id, actor, client_ip, request_id, audited,
           CAST(attributes AS text), CAST(data AS text), hash
    FROM event_log WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3
"""
# One statement sees one moment, in which nothing may lie behind the head.
CHAIN_BEHIND_HEAD = """
    SELECT min(position) FROM event_log WHERE position > (SELECT position FROM event_log_head)
"""
