"""How closing balances are kept, and how a past level follows from them.

A level at a moment is its closing balance of the last day before, and the movements of that day up to the moment, and
those that are not in the closing balances yet. Everything goes by `occurred_at`; days are those of UTC.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, DateTime, Numeric, Subquery, bindparam, column, text
from sqlalchemy.ext.asyncio import AsyncSession

Due = tuple[int, int, int, int, int]
"""A level's key, the version up to which it is closed, and the version that it has."""

_TAKE_TURNS = text("SELECT pg_try_advisory_xact_lock(hashtext(current_schema() || ' closing'))")
_DUE = text("""
    SELECT l.product_id, l.warehouse_id, l.lot, coalesce(p.version, 0), l.version
    FROM level l LEFT JOIN closing_progress p USING (product_id, warehouse_id, lot)
    WHERE l.version > coalesce(p.version, 0)
    ORDER BY l.product_id, l.warehouse_id, l.lot LIMIT :levels
""")
_FRESH = """
    WITH due AS (
        SELECT * FROM unnest(CAST(:product_ids AS bigint[]), CAST(:warehouse_ids AS bigint[]), CAST(:lots AS bigint[]),
                             CAST(:closed AS bigint[]), CAST(:versions AS bigint[]))
            AS d(product_id, warehouse_id, lot, closed, version)
    ), fresh AS (
        SELECT m.product_id, m.warehouse_id, m.lot, CAST(m.occurred_at AT TIME ZONE 'UTC' AS date) AS day,
               sum(m.quantity) AS change, max(m.occurred_at) AS last_occurred_at,
               (array_agg(m.average_cost ORDER BY m.occurred_at DESC, m.version DESC))[1] AS average_cost
        FROM due JOIN movement m USING (product_id, warehouse_id, lot)
        WHERE m.version > due.closed AND m.version <= due.version
        GROUP BY 1, 2, 3, 4
    )
"""
# A new day starts from the closing balance before it, as it was before any of this was added.
_OPEN_DAYS = text(
    _FRESH
    + """
    INSERT INTO closing_balance (product_id, warehouse_id, lot, day, on_hand)
    SELECT f.product_id, f.warehouse_id, f.lot, f.day, coalesce(
        (SELECT c.on_hand FROM closing_balance c
         WHERE (c.product_id, c.warehouse_id, c.lot) = (f.product_id, f.warehouse_id, f.lot) AND c.day < f.day
         ORDER BY c.day DESC LIMIT 1), 0)
    FROM fresh f
    ON CONFLICT DO NOTHING
"""
)
# A late movement changes its own day and every later one.
_ADD = text(
    _FRESH
    + """
    UPDATE closing_balance c
    SET on_hand = c.on_hand + (
        SELECT sum(f.change) FROM fresh f
        WHERE (f.product_id, f.warehouse_id, f.lot) = (c.product_id, c.warehouse_id, c.lot) AND f.day <= c.day)
    FROM (SELECT product_id, warehouse_id, lot, min(day) AS first_day FROM fresh GROUP BY 1, 2, 3) k
    WHERE (c.product_id, c.warehouse_id, c.lot) = (k.product_id, k.warehouse_id, k.lot) AND c.day >= k.first_day
"""
)
_SET_COSTS = text(
    _FRESH
    + """
    UPDATE closing_balance c SET average_cost = f.average_cost, last_occurred_at = f.last_occurred_at
    FROM fresh f
    WHERE (c.product_id, c.warehouse_id, c.lot, c.day) = (f.product_id, f.warehouse_id, f.lot, f.day)
      AND f.last_occurred_at >= c.last_occurred_at
"""
)
_NOTE_PROGRESS = text("""
    INSERT INTO closing_progress (product_id, warehouse_id, lot, version)
    SELECT * FROM unnest(CAST(:product_ids AS bigint[]), CAST(:warehouse_ids AS bigint[]), CAST(:lots AS bigint[]),
                         CAST(:versions AS bigint[]))
    ON CONFLICT (product_id, warehouse_id, lot) DO UPDATE SET version = excluded.version
""")


async def close_levels(session: AsyncSession, levels: int) -> int:
    """Take the movements of at most so many levels into their closing balances; how many levels had any.
    Whoever else is at it makes this do nothing: it is the same work."""
    if not await session.scalar(_TAKE_TURNS):
        return 0
    due: Sequence[Any] = (await session.execute(_DUE, {"levels": levels})).all()
    if due:
        names = ("product_ids", "warehouse_ids", "lots", "closed", "versions")
        parameters = {name: list(values) for name, values in zip(names, zip(*due, strict=True), strict=True)}
        for statement in (_OPEN_DAYS, _ADD, _SET_COSTS):
            await session.execute(statement, parameters)
        del parameters["closed"]
        await session.execute(_NOTE_PROGRESS, parameters)
    return len(due)


_LEVELS_AT = """
    SELECT l.product_id, l.warehouse_id, l.lot,
           coalesce(c.on_hand, 0) + coalesce(d.change, 0) + coalesce(u.change, 0) AS on_hand,
           CASE greatest(c.last_occurred_at, d.last_occurred_at, u.last_occurred_at)
               WHEN u.last_occurred_at THEN u.average_cost
               WHEN d.last_occurred_at THEN d.average_cost
               ELSE c.average_cost END AS average_cost,
           greatest(c.last_occurred_at, d.last_occurred_at, u.last_occurred_at) AS updated_at
    FROM level l
    LEFT JOIN LATERAL (
        SELECT b.on_hand, b.average_cost, b.last_occurred_at FROM closing_balance b
        WHERE (b.product_id, b.warehouse_id, b.lot) = (l.product_id, l.warehouse_id, l.lot) AND b.day < :day
        ORDER BY b.day DESC LIMIT 1
    ) c ON true
    LEFT JOIN (
        SELECT m.product_id, m.warehouse_id, m.lot, sum(m.quantity) AS change, max(m.occurred_at) AS last_occurred_at,
               (array_agg(m.average_cost ORDER BY m.occurred_at DESC, m.version DESC))[1] AS average_cost
        FROM movement m JOIN closing_progress p USING (product_id, warehouse_id, lot)
        WHERE m.occurred_at >= :day_start AND m.occurred_at <= :moment AND m.version <= p.version
        GROUP BY m.product_id, m.warehouse_id, m.lot
    ) d ON (d.product_id, d.warehouse_id, d.lot) = (l.product_id, l.warehouse_id, l.lot)
    LEFT JOIN (
        SELECT m.product_id, m.warehouse_id, m.lot, sum(m.quantity) AS change, max(m.occurred_at) AS last_occurred_at,
               (array_agg(m.average_cost ORDER BY m.occurred_at DESC, m.version DESC))[1] AS average_cost
        FROM level k LEFT JOIN closing_progress p USING (product_id, warehouse_id, lot)
        JOIN movement m USING (product_id, warehouse_id, lot)
        WHERE k.version > coalesce(p.version, 0) AND m.version > coalesce(p.version, 0) AND m.occurred_at <= :moment
        GROUP BY m.product_id, m.warehouse_id, m.lot
    ) u ON (u.product_id, u.warehouse_id, u.lot) = (l.product_id, l.warehouse_id, l.lot)
    WHERE c.on_hand IS NOT NULL OR d.change IS NOT NULL OR u.change IS NOT NULL
"""


def levels_at(moment: datetime) -> Subquery:
    """`product_id, warehouse_id, lot, on_hand, average_cost, updated_at` of every level to which anything had happened
    by `moment`, inclusive."""
    moment = moment.astimezone(UTC)
    day_start = datetime.combine(moment.date(), time(), UTC)
    quantity, money = Numeric[Decimal](18, 3), Numeric[Decimal](18, 4)
    return (
        text(_LEVELS_AT)
        .bindparams(
            bindparam("day", moment.date()),
            bindparam("day_start", day_start, DateTime(timezone=True)),
            bindparam("moment", moment, DateTime(timezone=True)),
        )
        .columns(
            column("product_id", BigInteger),
            column("warehouse_id", BigInteger),
            column("lot", BigInteger),
            column("on_hand", quantity),
            column("average_cost", money),
            column("updated_at", DateTime(timezone=True)),
        )
        .subquery("level_at")
    )
