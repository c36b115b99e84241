"""Reads of the log: its head, and the events after a position."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.notifications.event_log.cloudevents import LoggedEvent
from stockbuddy.notifications.event_log.cursors import LogExtent, LogPosition
from stockbuddy.notifications.event_log.patterns import ANY_TYPE, to_expression
from stockbuddy.notifications.event_log.placeholder_queries import read_values
from stockbuddy.notifications.event_log.visibility import ADDRESSED_EXPRESSION, Visibility

_EVENT = """
    (SELECT epoch FROM event_log_epoch) AS epoch, e.position, e.type, e.subject, e.client_ip,
    CAST(e.attributes AS text) AS attributes, CAST(e.data AS text) AS data
"""
_HEAD = text("SELECT e.epoch, h.position FROM event_log_head h CROSS JOIN event_log_epoch e")
_EXTENT = text("""
    SELECT e.epoch, h.position, coalesce((SELECT max(last) FROM event_log_archive), 0) AS archived
    FROM event_log_head h CROSS JOIN event_log_epoch e
""")
_LOCK_EPOCH = text("SELECT epoch, storage_id FROM event_log_epoch FOR UPDATE")
_UPDATE_EPOCH = text("UPDATE event_log_epoch SET epoch = :epoch, storage_id = :storage_id")
# A restored table has a new OID, even in the same database. Some providers reserve pg_control_system for themselves.
_TABLE_ID = text("""
    SELECT d.oid || '.' || CAST(to_regclass('event_log') AS oid) AS id,
           has_function_privilege('pg_control_system()', 'EXECUTE') AS may_read_system
    FROM pg_database d WHERE d.datname = current_database()
""")
_SYSTEM_ID = text("SELECT CAST(system_identifier AS text) FROM pg_control_system()")
_AFTER = text(f"SELECT {_EVENT} FROM event_log e WHERE e.position > :after ORDER BY e.position LIMIT :limit")

# synchronous_commit is off, because the broker has the events when the position moves: if PostgreSQL loses the commit
# in a crash, they are published again.
_LOCK_PUBLISHED = text("""
    SELECT position, set_config('synchronous_commit', 'off', true) FROM event_log_published FOR UPDATE SKIP LOCKED
""")
_UPDATE_PUBLISHED = text("UPDATE event_log_published SET position = :position")

_ADDRESSED_TO = "(e.type !~ :addressed OR e.subject = ANY(:audiences))"
_AFTER_OF_ANY_TYPE = text(f"""
    SELECT {_EVENT} FROM event_log e
    WHERE e.position > :after AND e.position <= :until AND {_ADDRESSED_TO}
    ORDER BY e.position LIMIT :limit
""")

# A rare type must not scan all other events, a common one must not sort its own: the recursive CTE finds the distinct
# types with one index probe each (a loose index scan), and each matching type contributes at most `limit` positions.
# The row comparisons force the index on (type, position); with `type = …` PostgreSQL may choose a scan by position.
_AFTER_OF_TYPES = text(f"""
    WITH RECURSIVE types AS (
        (SELECT type FROM event_log ORDER BY type LIMIT 1)
        UNION ALL
        SELECT (SELECT e.type FROM event_log e WHERE e.type > t.type ORDER BY e.type LIMIT 1)
        FROM types t WHERE t.type IS NOT NULL
    ), matching AS (
        SELECT found.position
        FROM types t CROSS JOIN LATERAL (
            SELECT e.position FROM event_log e
            WHERE (e.type, e.position) > (t.type, CAST(:after AS bigint))
              AND (e.type, e.position) <= (t.type, CAST(:until AS bigint)) AND {_ADDRESSED_TO}
            ORDER BY e.type, e.position LIMIT :limit) found
        WHERE t.type ~ :requested AND t.type ~ :visible
        ORDER BY found.position LIMIT :limit)
    SELECT {_EVENT} FROM event_log e JOIN matching USING (position) ORDER BY e.position
""")

_MISSING = text("""
    SELECT EXISTS (SELECT FROM unnest(CAST(:event_ids AS uuid[])) AS wanted (id)
                   WHERE NOT EXISTS (SELECT FROM event_log WHERE event_id = wanted.id))
""")


@dataclass(frozen=True, slots=True)
class EventSlice:
    """Events of one read, and the position up to which the log has been read."""

    events: Sequence[LoggedEvent]
    position: LogPosition


async def read_head(session: AsyncSession) -> LogPosition:
    return LogPosition(*(await session.execute(_HEAD)).one())


async def read_extent(session: AsyncSession) -> LogExtent:
    row = (await session.execute(_EXTENT)).one()
    return LogExtent(row.archived, LogPosition(row.epoch, row.position))


async def contains_all(session: AsyncSession, event_ids: Sequence[UUID]) -> bool:
    """Whether the log contains the events with these ids."""
    return not await session.scalar(_MISSING, {"event_ids": event_ids})


async def lock_epoch(session: AsyncSession) -> Row[int, str | None]:
    """`epoch`, and `storage_id`, null before the first start; locked until the transaction ends."""
    return (await session.execute(_LOCK_EPOCH)).one()


async def update_epoch(session: AsyncSession, epoch: int, storage_id: str) -> None:
    await session.execute(_UPDATE_EPOCH, {"epoch": epoch, "storage_id": storage_id})


async def read_storage_id(session: AsyncSession) -> str:
    """Identifies where the log is stored: differs in a restored copy."""
    table = (await session.execute(_TABLE_ID)).one()
    system = await session.scalar(_SYSTEM_ID) if table.may_read_system else "unknown"
    return f"{system}.{table.id}"


async def read_after(session: AsyncSession, after: int, limit: int) -> list[LoggedEvent]:
    """All events after a position, regardless of visibility."""
    rows = await session.execute(_AFTER, {"after": after, "limit": limit})
    return await _disclose(session, [LoggedEvent(*row) for row in rows])


async def _disclose(session: AsyncSession, events: list[LoggedEvent]) -> list[LoggedEvent]:
    """The events with personal values in place of their placeholders."""
    values = await read_values(session, (text for event in events for text in (event.attributes, event.data)))
    return [event.disclosed(values) for event in events]


async def lock_published_position(session: AsyncSession) -> int | None:
    """The position up to which the log is published to other consumers; None while another replica holds it."""
    row = (await session.execute(_LOCK_PUBLISHED)).one_or_none()
    return None if row is None else row.position


async def update_published_position(session: AsyncSession, position: int) -> None:
    await session.execute(_UPDATE_PUBLISHED, {"position": position})


async def read_visible(
    session: AsyncSession, visibility: Visibility, types: tuple[str, ...], after: LogPosition, limit: int
) -> EventSlice:
    """At most `limit` events after `after` that match a pattern of `types` and are visible. Raises CursorAhead,
    CursorArchived."""
    extent = await read_extent(session)
    extent.require_all_after(after)
    head, until = extent.head, extent.head.position
    bounds = {"after": after.position, "until": until, "limit": limit}
    addressed = {"addressed": ADDRESSED_EXPRESSION, "audiences": sorted(visibility.audiences)}
    if types == visibility.types == ANY_TYPE:
        rows = await session.execute(_AFTER_OF_ANY_TYPE, bounds | addressed)
    else:
        expressions = {"requested": to_expression(types), "visible": to_expression(visibility.types)}
        rows = await session.execute(_AFTER_OF_TYPES, bounds | addressed | expressions)
    events = await _disclose(session, [LoggedEvent(*row) for row in rows])
    return EventSlice(events, LogPosition(head.epoch, events[-1].position if len(events) == limit else until))
