"""Reads of the audit trail: a selection of the event log, newest first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.notifications.audit.changes import types_of_same_state
from stockbuddy.notifications.event_log.patterns import ANY_TYPE, expression_of
from stockbuddy.notifications.listing import Window


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What an audit list is narrowed to; null means anything. `types` are patterns, an `action` is the last word of a
    type, `since`/`until` are half-open."""

    types: tuple[str, ...] | None = None
    action: str | None = None
    actor_id: int | None = None
    actor: str | None = None
    ip_address: str | None = None
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


@dataclass(frozen=True, slots=True)
class Selection:
    """Some rows of the trail, and how many there are in all."""

    rows: Sequence[AuditRow]
    total: int


_TYPES = text("""
    WITH RECURSIVE types AS (
        (SELECT type FROM event_log ORDER BY type LIMIT 1)
        UNION ALL
        SELECT (SELECT e.type FROM event_log e WHERE e.type > t.type ORDER BY e.type LIMIT 1)
        FROM types t WHERE t.type IS NOT NULL)
    SELECT type FROM types WHERE type ~ :wanted AND type ~ :acted
""")
_TOTAL = text("SELECT audited FROM event_log_head")

_COLUMNS = """
    e.position, e.at, e.type, e.actor_id, e.actor, e.client_ip, e.subject, e.request_id, e.hash,
    CAST(e.data AS text) AS data
"""
_ANY = f"SELECT {_COLUMNS} FROM event_log e WHERE e.audited {{window}}"
# The total takes all that match, so the page is taken from them, too. By itself it would tempt PostgreSQL to walk the
# log backwards until it has enough of what may be rare.
_NARROWED = f"""
    WITH found AS MATERIALIZED (SELECT position FROM event_log WHERE audited AND {{conditions}}),
    shown AS (SELECT position FROM found WHERE true {{window}})
    SELECT counted.total, {_COLUMNS}
    FROM (SELECT count(*) AS total FROM found) counted
        LEFT JOIN (shown JOIN event_log e USING (position)) ON true
    ORDER BY e.position DESC
"""
# With too little memory the index names pages only, and every row of them is split into words again.
_EXACT_BITMAPS = text("SET LOCAL work_mem = '64MB'")
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
    "actor": "actor = :actor",
    "ip_address": "client_ip = :ip_address",
    "subject": "subject = :subject",
    "since": "at >= :since",
    "until": "at < :until",
    "request_id": "request_id = :request_id",
    "search": "event_log_words(type, subject, actor, client_ip, data) @@ to_tsquery('simple', :search)",
}


async def list_entries(session: AsyncSession, narrowed: AuditFilter, window: Window) -> Selection:
    """Newest first. `session` is in a transaction."""
    conditions, values = await _conditions(session, narrowed)
    if not conditions:
        latest = await session.execute(text(_ANY.format(window=window.clause("e.position"))), window.values)
        return Selection(await _with_earlier(session, latest), await session.scalar(_TOTAL) or 0)
    await session.execute(_EXACT_BITMAPS)
    statement = _NARROWED.format(conditions=" AND ".join(conditions), window=window.clause("position"))
    rows = (await session.execute(text(statement), values | window.values)).all()
    return Selection(await _with_earlier(session, [row[1:] for row in rows if row[1] is not None]), rows[0].total)


async def _conditions(session: AsyncSession, narrowed: AuditFilter) -> tuple[list[str], dict[str, Any]]:
    values = {name: value for name in _CONDITIONS if (value := getattr(narrowed, name)) is not None}
    if narrowed.types is not None or narrowed.action is not None:
        acted = f"*.{narrowed.action}" if narrowed.action is not None else "*"
        patterns = {"wanted": expression_of(narrowed.types or ANY_TYPE), "acted": expression_of((acted,))}
        values["types"] = list(await session.scalars(_TYPES, patterns))
    if narrowed.search is not None:
        values["search"] = _prefixes(narrowed.search)
    return [_CONDITIONS[name] for name in values], values


def _prefixes(search: str) -> str:
    """Every word of the search, as the beginning of a word."""
    words = search.replace("\\", " ").replace("'", " ").replace("/", " ").split()
    return " & ".join(f"'{word}':*" for word in words)


async def _with_earlier(session: AsyncSession, found: Iterable[Sequence[Any]]) -> list[AuditRow]:
    """Each row with the state before it, if its type carries states and there was one."""
    rows = [AuditRow(*columns) for columns in found]
    states = [row for row in rows if types_of_same_state(row.type)]
    befores = await session.execute(
        _EARLIER,
        {
            "positions": [row.id for row in states],
            "subjects": [row.subject for row in states],
            "types": [",".join(types_of_same_state(row.type)) for row in states],
        },
    )
    earlier: dict[int, str] = {row.position: row.data for row in befores}
    return [replace(row, earlier_data=earlier.get(row.id)) for row in rows]


# For the driver itself: millions of rows pass through here.
CHAIN_HEAD = "SELECT position, audited, hash FROM event_log_head"
# An intruder may set a time that Python knows no date for.
CHAIN_PIECE = """
    SELECT position, CAST(event_id AS text), type, subject,
           CASE WHEN at >= '0001-01-02' AND at < '9999-12-31' THEN at END AS at,
           actor_id, actor, client_ip, request_id, audited, CAST(attributes AS text), CAST(data AS text), hash
    FROM event_log WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3
"""
# One statement sees one moment, in which nothing may lie behind the head.
CHAIN_BEHIND_HEAD = """
    SELECT min(position) FROM event_log WHERE position > (SELECT position FROM event_log_head)
"""
