"""How closing balances are kept, and how a past level follows from them.

A level at a moment is its closing balance of the last day before, and the movements of that day up to the moment, and
those that are not in the closing balances yet. Everything goes by `occurred_at`; days are those of UTC. What a unit
cost then is what the latest line of the ledger says (the one with the highest version) of those that count.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import BigInteger, DateTime, Numeric, Subquery, bindparam, column, text
from sqlalchemy.ext.asyncio import AsyncSession

_TAKE_TURNS = text("SELECT pg_try_advisory_xact_lock(hashtext(current_schema() || ' closing'))")
_DUE = text("""
    SELECT l.product_id, l.warehouse_id, l.lot, coalesce(p.version, 0) AS closed, l.version
    FROM level l LEFT JOIN closing_progress p USING (product_id, warehouse_id, lot)
    WHERE l.version > coalesce(p.version, 0)
    ORDER BY l.product_id, l.warehouse_id, l.lot LIMIT :levels
""")
# A late movement changes its own day and every later one, so all of them are added up anew, from the balance before the
# first: what each day changed as far as it was closed (`kept`), and what is closed now (`fresh`). Sorts and look-ups
# alone: the time is that of what is touched, however large the tables and poor the planner's guesses.
_CLOSE = text("""
    WITH due AS (
        SELECT * FROM unnest(CAST(:product_ids AS bigint[]), CAST(:warehouse_ids AS bigint[]), CAST(:lots AS bigint[]),
                             CAST(:closed AS bigint[]), CAST(:versions AS bigint[]))
            AS d(product_id, warehouse_id, lot, closed, version)
    ), fresh AS MATERIALIZED (
        SELECT m.product_id, m.warehouse_id, m.lot, CAST(m.occurred_at AT TIME ZONE 'UTC' AS date) AS day,
               sum(m.quantity) AS change, max(m.occurred_at) AS last_occurred_at, max(m.version) AS version,
               (array_agg(m.average_cost ORDER BY m.version DESC))[1] AS average_cost
        FROM due JOIN movement m USING (product_id, warehouse_id, lot)
        WHERE m.version > due.closed AND m.version <= due.version
        GROUP BY 1, 2, 3, 4
    ), opened AS MATERIALIZED (
        SELECT f.product_id, f.warehouse_id, f.lot, f.day, coalesce(b.on_hand, 0) AS on_hand,
               coalesce(b.version, 0) AS version, b.average_cost
        FROM (SELECT product_id, warehouse_id, lot, min(day) AS day FROM fresh GROUP BY 1, 2, 3) f
        LEFT JOIN LATERAL (
            SELECT c.on_hand, c.version, c.average_cost FROM closing_balance c
            WHERE (c.product_id, c.warehouse_id, c.lot) = (f.product_id, f.warehouse_id, f.lot) AND c.day < f.day
            ORDER BY c.day DESC LIMIT 1
        ) b ON true
    ), kept AS (
        SELECT c.product_id, c.warehouse_id, c.lot, c.day,
               c.on_hand - lag(c.on_hand, 1, o.on_hand) OVER (
                   PARTITION BY c.product_id, c.warehouse_id, c.lot ORDER BY c.day) AS change,
               c.last_occurred_at, c.version, c.average_cost
        FROM opened o JOIN closing_balance c USING (product_id, warehouse_id, lot) WHERE c.day >= o.day
    ), days AS (
        SELECT product_id, warehouse_id, lot, day, sum(change) AS change, max(last_occurred_at) AS last_occurred_at,
               max(version) AS version, (array_agg(average_cost ORDER BY version DESC))[1] AS average_cost
        FROM (
            SELECT * FROM fresh
            UNION ALL SELECT * FROM kept
            UNION ALL SELECT product_id, warehouse_id, lot, day, on_hand, '-infinity', version, average_cost FROM opened
        ) parts
        GROUP BY product_id, warehouse_id, lot, day
    ), closed AS (
        SELECT product_id, warehouse_id, lot, day, sum(change) OVER earlier AS on_hand, last_occurred_at,
               max(version) OVER earlier AS version, average_cost
        FROM days WINDOW earlier AS (PARTITION BY product_id, warehouse_id, lot ORDER BY day)
    )
    INSERT INTO closing_balance (product_id, warehouse_id, lot, day, on_hand, last_occurred_at, version, average_cost)
    SELECT product_id, warehouse_id, lot, day, on_hand, last_occurred_at, version,
           first_value(average_cost) OVER (PARTITION BY product_id, warehouse_id, lot, version ORDER BY day)
    FROM closed
    ON CONFLICT (product_id, warehouse_id, lot, day) DO UPDATE
        SET on_hand = excluded.on_hand, last_occurred_at = excluded.last_occurred_at, version = excluded.version,
            average_cost = excluded.average_cost
""")
_NOTE_PROGRESS = text("""
    INSERT INTO closing_progress (product_id, warehouse_id, lot, version)
    SELECT * FROM unnest(CAST(:product_ids AS bigint[]), CAST(:warehouse_ids AS bigint[]), CAST(:lots AS bigint[]),
                         CAST(:versions AS bigint[]))
    ON CONFLICT (product_id, warehouse_id, lot) DO UPDATE SET version = excluded.version
""")


class Due(NamedTuple):
    """A level whose changes after version `closed` and up to `version` are to be taken into its closing balances."""

    product_id: int
    warehouse_id: int
    lot: int
    closed: int
    version: int


async def close_levels(session: AsyncSession, levels: int, changes: int) -> bool:
    """Take at most so many changes, of at most so many levels, into the closing balances; whether more are left.
    Whoever else is at it makes this do nothing: it is the same work."""
    if not await session.scalar(_TAKE_TURNS):
        return False
    due = [Due(*row) for row in await session.execute(_DUE, {"levels": levels})]
    part = bounded(due, changes)
    if part:
        names = ("product_ids", "warehouse_ids", "lots", "closed", "versions")
        parameters = {name: list(values) for name, values in zip(names, zip(*part, strict=True), strict=True)}
        await session.execute(_CLOSE, parameters)
        del parameters["closed"]
        await session.execute(_NOTE_PROGRESS, parameters)
    return part != due or len(due) == levels


def bounded(due: Sequence[Due], changes: int) -> list[Due]:
    """The first of them, as far as they come to that many changes: one with more of them is closed in part."""
    part: list[Due] = []
    for level in due:
        if changes <= 0:
            break
        upto = min(level.version, level.closed + changes)
        part.append(level._replace(version=upto))
        changes -= upto - level.closed
    return part


_LEVELS_AT = """
    SELECT l.product_id, l.warehouse_id, l.lot,
           coalesce(c.on_hand, 0) + coalesce(d.change, 0) + coalesce(u.change, 0) AS on_hand,
           CASE greatest(c.version, d.version, u.version)
               WHEN u.version THEN u.average_cost
               WHEN d.version THEN d.average_cost
               ELSE c.average_cost END AS average_cost,
           greatest(c.last_occurred_at, d.last_occurred_at, u.last_occurred_at) AS updated_at
    FROM level l
    LEFT JOIN LATERAL (
        SELECT b.on_hand, b.average_cost, b.last_occurred_at, b.version FROM closing_balance b
        WHERE (b.product_id, b.warehouse_id, b.lot) = (l.product_id, l.warehouse_id, l.lot) AND b.day < {day}
        ORDER BY b.day DESC LIMIT 1
    ) c ON true
    LEFT JOIN (
        SELECT m.product_id, m.warehouse_id, m.lot, sum(m.quantity) AS change, max(m.occurred_at) AS last_occurred_at,
               max(m.version) AS version, (array_agg(m.average_cost ORDER BY m.version DESC))[1] AS average_cost
        FROM movement m JOIN closing_progress p USING (product_id, warehouse_id, lot)
        WHERE m.occurred_at >= {day_start} AND m.occurred_at <= {moment} AND m.version <= p.version
        GROUP BY m.product_id, m.warehouse_id, m.lot
    ) d ON (d.product_id, d.warehouse_id, d.lot) = (l.product_id, l.warehouse_id, l.lot)
    LEFT JOIN (
        SELECT m.product_id, m.warehouse_id, m.lot, sum(m.quantity) AS change, max(m.occurred_at) AS last_occurred_at,
               max(m.version) AS version, (array_agg(m.average_cost ORDER BY m.version DESC))[1] AS average_cost
        FROM level k LEFT JOIN closing_progress p USING (product_id, warehouse_id, lot)
        JOIN movement m USING (product_id, warehouse_id, lot)
        WHERE k.version > coalesce(p.version, 0) AND m.version > coalesce(p.version, 0) AND m.occurred_at <= {moment}
        GROUP BY m.product_id, m.warehouse_id, m.lot
    ) u ON (u.product_id, u.warehouse_id, u.lot) = (l.product_id, l.warehouse_id, l.lot)
    WHERE c.on_hand IS NOT NULL OR d.change IS NOT NULL OR u.change IS NOT NULL
"""


def statement_of_levels(moment: str) -> str:
    """SELECT `product_id, warehouse_id, lot, on_hand, average_cost, updated_at` of every level to which anything had
    happened by a moment, inclusive, that goes by this name in `moment_values`."""
    return _LEVELS_AT.format(moment=f":{moment}", day=f":{moment}_day", day_start=f":{moment}_day_start")


def moment_values(name: str, moment: datetime) -> dict[str, datetime | date]:
    moment = moment.astimezone(UTC)
    return {
        name: moment,
        f"{name}_day": moment.date(),
        f"{name}_day_start": datetime.combine(moment.date(), time(), UTC),
    }


def levels_at(moment: datetime) -> Subquery:
    """The same as something to select from."""
    values = moment_values("moment", moment)
    quantity, money = Numeric[Decimal](18, 3), Numeric[Decimal](18, 4)
    return (
        text(statement_of_levels("moment"))
        .bindparams(
            bindparam("moment_day", values["moment_day"]),
            bindparam("moment_day_start", values["moment_day_start"], DateTime(timezone=True)),
            bindparam("moment", values["moment"], DateTime(timezone=True)),
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
