"""Reads of the audit trail: the audited events of the log, newest first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.calendar_days import needs_zone, start_of
from stockbuddy.chassis.http.pagination import PageSlice, encode_cursor
from stockbuddy.notifications.audit.changes import types_of_same_state
from stockbuddy.notifications.audit.schemas import AuditFilter
from stockbuddy.notifications.event_log import word_queries
from stockbuddy.notifications.event_log.patterns import ANY_TYPE, to_expression
from stockbuddy.notifications.event_log.placeholder_queries import (
    find_placeholders,
    find_placeholders_by_word,
    read_values,
)
from stockbuddy.notifications.event_log.placeholders import disclose_json, disclose_text
from stockbuddy.notifications.replicas.company import get_company


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An audited event. `id` is its position in the log; `data` and `earlier_data` (the subject's state before) are
    JSON texts."""

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


_NEWEST_FIRST = "id_desc"
MAX_MATCHING_VALUES = 500
"""Of a searched word: enough for a name, and few enough for one query."""

# The distinct types, with one index probe each (see event_log/queries.py).
_TYPES = text("""
    WITH RECURSIVE types AS (
        (SELECT type FROM event_log ORDER BY type LIMIT 1)
        UNION ALL
        SELECT (SELECT e.type FROM event_log e WHERE e.type > t.type ORDER BY e.type LIMIT 1)
        FROM types t WHERE t.type IS NOT NULL)
    SELECT type FROM types WHERE type ~ :requested AND type ~ :with_action
""")
_TOTAL = text("""
    SELECT audited - coalesce((SELECT max(audited) FROM event_log_archive), 0) FROM event_log_head
""")

_COLUMNS = """
    e.position, e.at, e.type, e.actor_id, e.actor, e.client_ip, e.subject, e.request_id, e.hash,
    CAST(e.data AS text) AS data
"""
_UNFILTERED = f"SELECT {_COLUMNS} FROM event_log e WHERE e.audited {{page}}"
_MATCHING = "SELECT position FROM event_log WHERE audited AND {conditions}"
# The total needs all matches, so the page is taken from them, too. A LIMIT on the log itself would make PostgreSQL scan
# it backwards until it has enough matches, which may be rare.
_FILTERED = f"""
    WITH matching AS MATERIALIZED ({{matching}}),
    page AS (SELECT position FROM matching WHERE true {{page}})
    SELECT counted.total, {_COLUMNS}
    FROM (SELECT count(*) AS total FROM matching) counted
        LEFT JOIN (page JOIN event_log e USING (position)) ON true
    ORDER BY e.position DESC
"""
# With less memory a bitmap scan becomes lossy, and then reads and compares every row in its pages.
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
    "actor": "actor = ANY(:actor)",
    "ip_address": "client_ip = :ip_address",
    "subject": "subject = :subject",
    "since": "at >= :since",
    "until": "at < :until",
    "request_id": "request_id = :request_id",
}


async def list_entries(session: AsyncSession, filters: AuditFilter) -> PageSlice[AuditRow]:
    """Newest first. `session` must be in a transaction (SET LOCAL)."""
    values = await _filter_values(session, filters)
    conditions = " AND ".join(_CONDITIONS[name] for name in values if name in _CONDITIONS)
    position = filters.position(_NEWEST_FIRST, int)
    before = "AND position < :before" if position else ""
    values |= {"before": position[0]} if position else {}
    values |= {"limit": filters.page_size + 1, "offset": 0 if position else filters.offset}
    page = f"{before} ORDER BY position DESC LIMIT :limit OFFSET :offset"
    if not conditions and "search" not in values:
        found = [AuditRow(*row) for row in await session.execute(text(_UNFILTERED.format(page=page)), values)]
        return await _to_slice(session, found, filters, await session.scalar(_TOTAL) or 0)
    await session.execute(_EXACT_BITMAPS)
    matching = _MATCHING.format(conditions=conditions)
    if "search" in values:
        matching = word_queries.matching(conditions)
    rows = (await session.execute(text(_FILTERED.format(matching=matching, page=page)), values)).all()
    found = [AuditRow(*row[1:]) for row in rows if row.position is not None]
    return await _to_slice(session, found, filters, rows[0].total)


async def _to_slice(
    session: AsyncSession, found: Sequence[AuditRow], filters: AuditFilter, total: int
) -> PageSlice[AuditRow]:
    """Cut the additional row that shows whether there is a next page."""
    rows = found[: filters.page_size]
    next_cursor = encode_cursor(_NEWEST_FIRST, [rows[-1].id]) if len(found) > len(rows) else None
    return PageSlice(await _disclose(session, await _with_earlier(session, rows)), total, next_cursor)


async def _disclose(session: AsyncSession, rows: Sequence[AuditRow]) -> list[AuditRow]:
    """The rows with personal values in place of their placeholders."""
    values = await read_values(session, (text for row in rows for text in (row.actor, row.data, row.earlier_data)))
    return [
        replace(
            row,
            actor=row.actor and disclose_text(row.actor, values),
            data=disclose_json(row.data, values),
            earlier_data=row.earlier_data and disclose_json(row.earlier_data, values),
        )
        for row in rows
    ]


async def _filter_values(session: AsyncSession, filters: AuditFilter) -> dict[str, Any]:
    """Values of the parameters in `_CONDITIONS`, for the filters that are set."""
    names = [*_CONDITIONS, "search"]
    values = {name: value for name in names if (value := getattr(filters, name, None)) is not None}
    if needs_zone(filters.since, filters.until):
        zone = (await get_company(session)).zone
        values |= {name: start_of(values[name], zone) for name in ("since", "until") if name in values}
    if filters.type or filters.action is not None:
        requested = filters.type or ANY_TYPE
        with_action = (f"*.{filters.action}",) if filters.action is not None else ANY_TYPE
        expressions = {"requested": to_expression(requested), "with_action": to_expression(with_action)}
        values["types"] = list(await session.scalars(_TYPES, expressions))
    if "actor" in values:
        # Names are logged as placeholders; by earlier releases and other producers, as they are.
        values["actor"] = [values["actor"], *await find_placeholders(session, values["actor"])]
    if search := values.pop("search", "").strip():
        values["search"] = await _to_prefix_query(session, search)
    return values


async def _to_prefix_query(session: AsyncSession, search: str) -> str:
    """A tsquery that requires every word of `search` as the beginning of a word, or a personal value with it."""
    words = search.replace("\\", " ").replace("'", " ").replace("/", " ").split()
    alternatives = []
    for word in words:
        query = f"'{word}':*"
        placeholders = await find_placeholders_by_word(session, query, MAX_MATCHING_VALUES)
        alternatives.append(" | ".join([query, *placeholders]))
    return " & ".join(f"({either})" for either in alternatives)


async def _with_earlier(session: AsyncSession, rows: Iterable[AuditRow]) -> list[AuditRow]:
    """Add the subject's earlier state to each row whose event type carries states, if there was one."""
    states = [row for row in rows if types_of_same_state(row.type)]
    earlier_rows = await session.execute(
        _EARLIER,
        {
            "positions": [row.id for row in states],
            "subjects": [row.subject for row in states],
            "types": [",".join(types_of_same_state(row.type)) for row in states],
        },
    )
    earlier: dict[int, str] = {row.position: row.data for row in earlier_rows}
    return [replace(row, earlier_data=earlier.get(row.id)) for row in rows]


_AUDITED_AFTER = text(f"""
    SELECT {_COLUMNS} FROM event_log e WHERE e.audited AND e.position > :after AND e.position <= :until
    ORDER BY e.position LIMIT :limit
""")
_POSITION = text("SELECT position FROM event_log_head")


async def read_position(session: AsyncSession) -> int:
    """The position of the last entry."""
    return await session.scalar(_POSITION) or 0


async def read_audited_after(session: AsyncSession, after: int, until: int, limit: int) -> list[AuditRow]:
    """Audited entries in the order of the log, without their earlier states."""
    values = {"after": after, "until": until, "limit": limit}
    return await _disclose(session, [AuditRow(*row) for row in await session.execute(_AUDITED_AFTER, values)])


# Run through asyncpg without SQLAlchemy: a verification reads millions of rows.
CHAIN_POSITION = "SELECT position FROM event_log_head"
CHAIN_HEAD = "SELECT position, audited, hash FROM event_log_head"
# A tampered time may be outside Python's range; null marks it as bad.
CHAIN_ROWS = """
    SELECT e.position, CAST(e.event_id AS text) AS event_id, type, subject,
           CASE WHEN at >= '0001-01-02' AND at < '9999-12-31' THEN at END AS at,
           actor_id, actor, client_ip, request_id, audited,
           CAST(attributes AS text) AS attributes, CAST(data AS text) AS data, hash,
           CAST(r.event_id AS text) AS redacted_by, r.previous_hash, r.digest
    FROM event_log e LEFT JOIN redaction r USING (position)
    WHERE e.position > $1 AND e.position <= $2 ORDER BY e.position LIMIT $3
"""
# Head and rows in one statement, which sees one snapshot: events may be appended meanwhile.
FIRST_BEYOND_HEAD = """
    SELECT min(position) FROM event_log WHERE position > (SELECT position FROM event_log_head)
"""
PERSONAL_VALUES = """
    SELECT placeholder, person, value, salt FROM personal_value WHERE placeholder > $1 ORDER BY placeholder LIMIT $2
"""
