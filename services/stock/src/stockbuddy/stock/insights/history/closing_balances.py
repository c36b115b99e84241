"""Maintains closing balances: the quantity and the value of each level at the end of each UTC day with movements.

Days are determined by `occurred_at`. `closing_stock_progress` has, per level, the version (number of changes of the
level) up to which movements are included.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtext(current_schema() || ' closing'))")
_SELECT_PENDING = text("""
    SELECT l.product_id, l.warehouse_id, l.lot, coalesce(p.version, 0) AS closed, l.version
    FROM level l LEFT JOIN closing_stock_progress p USING (product_id, warehouse_id, lot)
    WHERE l.version > coalesce(p.version, 0)
    ORDER BY l.product_id, l.warehouse_id, l.lot LIMIT :levels
""")
# A movement posted late changes the balance of its own day and of every later one, so the balances from the first
# affected day on are computed again: from the balance before it (`opened`), the known change of each day (`kept`), and
# the changes to be added (`fresh`). MATERIALIZED keeps the planner, whose estimates are poor here, from joining the
# whole movement table: the statement's time depends on the rows touched only.
_UPSERT_BALANCES = text("""
    WITH due AS (
        SELECT * FROM unnest(CAST(:product_ids AS bigint[]), CAST(:warehouse_ids AS bigint[]), CAST(:lots AS bigint[]),
                             CAST(:closed AS bigint[]), CAST(:versions AS bigint[]))
            AS d(product_id, warehouse_id, lot, closed, version)
    ), fresh AS MATERIALIZED (
        SELECT m.product_id, m.warehouse_id, m.lot, CAST(m.occurred_at AT TIME ZONE 'UTC' AS date) AS day,
               sum(m.quantity) AS change, sum(m.value) AS value_change, max(m.occurred_at) AS last_occurred_at
        FROM due JOIN movement m USING (product_id, warehouse_id, lot)
        WHERE m.version > due.closed AND m.version <= due.version
        GROUP BY 1, 2, 3, 4
    ), opened AS MATERIALIZED (
        SELECT f.product_id, f.warehouse_id, f.lot, f.day, coalesce(b.on_hand, 0) AS on_hand,
               coalesce(b.value, 0) AS value
        FROM (SELECT product_id, warehouse_id, lot, min(day) AS day FROM fresh GROUP BY 1, 2, 3) f
        LEFT JOIN LATERAL (
            SELECT c.on_hand, c.value FROM closing_stock c
            WHERE (c.product_id, c.warehouse_id, c.lot) = (f.product_id, f.warehouse_id, f.lot) AND c.day < f.day
            ORDER BY c.day DESC LIMIT 1
        ) b ON true
    ), kept AS (
        SELECT c.product_id, c.warehouse_id, c.lot, c.day, c.on_hand - lag(c.on_hand, 1, o.on_hand) OVER days AS change,
               c.value - lag(c.value, 1, o.value) OVER days AS value_change, c.last_occurred_at
        FROM opened o JOIN closing_stock c USING (product_id, warehouse_id, lot) WHERE c.day >= o.day
        WINDOW days AS (PARTITION BY c.product_id, c.warehouse_id, c.lot ORDER BY c.day)
    ), days AS (
        SELECT product_id, warehouse_id, lot, day, sum(change) AS change, sum(value_change) AS value_change,
               max(last_occurred_at) AS last_occurred_at
        FROM (
            SELECT * FROM fresh
            UNION ALL SELECT * FROM kept
            UNION ALL SELECT product_id, warehouse_id, lot, day, on_hand, value, '-infinity' FROM opened
        ) parts
        GROUP BY product_id, warehouse_id, lot, day
    )
    INSERT INTO closing_stock (product_id, warehouse_id, lot, day, on_hand, value, last_occurred_at)
    SELECT product_id, warehouse_id, lot, day, sum(change) OVER earlier, sum(value_change) OVER earlier,
           last_occurred_at
    FROM days WINDOW earlier AS (PARTITION BY product_id, warehouse_id, lot ORDER BY day)
    ON CONFLICT (product_id, warehouse_id, lot, day) DO UPDATE
        SET on_hand = excluded.on_hand, value = excluded.value, last_occurred_at = excluded.last_occurred_at
""")
_SAVE_PROGRESS = text("""
    INSERT INTO closing_stock_progress (product_id, warehouse_id, lot, version)
    SELECT * FROM unnest(CAST(:product_ids AS bigint[]), CAST(:warehouse_ids AS bigint[]), CAST(:lots AS bigint[]),
                         CAST(:versions AS bigint[]))
    ON CONFLICT (product_id, warehouse_id, lot) DO UPDATE SET version = excluded.version
""")


class PendingLevel(NamedTuple):
    """A level whose changes after version `closed` and up to `version` are to be added to its closing balances."""

    product_id: int
    warehouse_id: int
    lot: int
    closed: int
    version: int


async def advance_closing_balances(session: AsyncSession, levels: int, changes: int) -> bool:
    """Add up to `changes` changes of up to `levels` levels to the closing balances. Returns whether more remain.
    Does nothing if another process holds the advisory lock, because it does the same work."""
    if not await session.scalar(_TRY_LOCK):
        return False
    pending = [PendingLevel(*row) for row in await session.execute(_SELECT_PENDING, {"levels": levels})]
    selected = limit_to(pending, changes)
    if selected:
        names = ("product_ids", "warehouse_ids", "lots", "closed", "versions")
        parameters = {name: list(values) for name, values in zip(names, zip(*selected, strict=True), strict=True)}
        await session.execute(_UPSERT_BALANCES, parameters)
        del parameters["closed"]
        await session.execute(_SAVE_PROGRESS, parameters)
    return selected != pending or len(pending) == levels


def limit_to(pending: Sequence[PendingLevel], changes: int) -> list[PendingLevel]:
    """The first levels with up to `changes` changes in total; the last one may be included in part."""
    selected: list[PendingLevel] = []
    for level in pending:
        if changes <= 0:
            break
        version = min(level.version, level.closed + changes)
        selected.append(level._replace(version=version))
        changes -= version - level.closed
    return selected
