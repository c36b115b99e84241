"""Past demand from the ledger: quantities sold or issued. Reversed movements (also of voided sales) and their reversals
are excluded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

REDUCED_PRICE_SHARE = 0.95
"""A sale line below this share of the product's price is a promotion."""

# Changes up to now, since balances of past days are computed from the present one.
_MOVED = """
    WITH moved AS (
        SELECT m.product_id, m.warehouse_id,
               array_agg(width_bucket(m.occurred_at, CAST(:starts AS timestamptz[]))) AS days,
               array_agg(CAST(m.quantity AS double precision)) AS changes,
               array_agg(m.movement_type IN ('sale', 'out')) AS are_demand
        FROM movement m
        WHERE m.occurred_at >= :since AND m.reverses_id IS NULL
            AND NOT EXISTS (SELECT FROM movement r WHERE r.reverses_id = m.id) {condition}
        GROUP BY m.product_id, m.warehouse_id
    ), stocked AS (
        SELECT m.product_id, m.warehouse_id, CAST(sum(m.on_hand) AS double precision) AS on_hand
        FROM level m WHERE m.version > 0 {condition} GROUP BY m.product_id, m.warehouse_id
    )
    SELECT product_id, warehouse_id, stocked.on_hand, coalesce(moved.days, '{{}}'), coalesce(moved.changes, '{{}}'),
           coalesce(moved.are_demand, '{{}}')
    FROM stocked {join} moved USING (product_id, warehouse_id)
"""
_OF_PRODUCTS = "AND m.product_id = ANY(CAST(:product_ids AS bigint[]))"
_MOVED_OF_ALL = text(_MOVED.format(condition="", join="JOIN"))
_MOVED_OF_PRODUCTS = text(_MOVED.format(condition=_OF_PRODUCTS, join="LEFT JOIN"))

_REDUCED = """
    SELECT m.product_id, s.warehouse_id, width_bucket(s.occurred_at, CAST(:starts AS timestamptz[])) AS day,
           CAST(sum(m.quantity) AS double precision) AS quantity
    FROM sale s JOIN sale_line m ON m.sale_id = s.id JOIN product p ON p.id = m.product_id
    WHERE s.occurred_at >= :since AND s.occurred_at < :until AND s.status <> 'voided'
        AND m.total < m.quantity * p.unit_price * CAST(:share AS numeric) {condition}
    GROUP BY 1, 2, 3
"""
_REDUCED_OF_ALL = text(_REDUCED.format(condition=""))
_REDUCED_OF_PRODUCTS = text(_REDUCED.format(condition=_OF_PRODUCTS))

_TOTAL_DAILY_DEMAND = text("""
    SELECT width_bucket(m.occurred_at, CAST(:starts AS timestamptz[])) AS day,
           CAST(-sum(m.quantity) AS double precision) AS quantity
    FROM movement m
    WHERE m.movement_type IN ('sale', 'out') AND m.occurred_at >= :since AND m.occurred_at < :until
    GROUP BY 1
""")


@dataclass(frozen=True, slots=True)
class MovedLevel:
    """The movements of a product in a warehouse: the number of the day (1 is the first; the one after the last includes
    all that follows), the change of stock, and whether it is demand. `on_hand`: at present."""

    product_id: int
    warehouse_id: int
    on_hand: float
    days: Sequence[int]
    changes: Sequence[float]
    are_demand: Sequence[bool]


@dataclass(frozen=True, slots=True)
class ReducedSales:
    """The quantity sold at a reduced price on a day, which is numbered as in MovedLevel."""

    product_id: int
    warehouse_id: int
    day: int
    quantity: float


async def fetch_moved_levels(
    session: AsyncSession, starts: Sequence[datetime], product_ids: Sequence[int] | None
) -> list[MovedLevel]:
    """Levels with movements since the first of `starts`, of given products also the others; the last of `starts` begins
    the day after the history."""
    parameters = {"starts": list(starts), "since": starts[0]}
    if product_ids is None:
        rows = await session.execute(_MOVED_OF_ALL, parameters)
    else:
        rows = await session.execute(_MOVED_OF_PRODUCTS, parameters | {"product_ids": list(product_ids)})
    return [MovedLevel(*row) for row in rows]


async def fetch_reduced_sales(
    session: AsyncSession, starts: Sequence[datetime], product_ids: Sequence[int] | None
) -> list[ReducedSales]:
    parameters = {"starts": list(starts), "since": starts[0], "until": starts[-1], "share": REDUCED_PRICE_SHARE}
    if product_ids is None:
        rows = await session.execute(_REDUCED_OF_ALL, parameters)
    else:
        rows = await session.execute(_REDUCED_OF_PRODUCTS, parameters | {"product_ids": list(product_ids)})
    return [ReducedSales(*row) for row in rows]


async def fetch_total_daily_demand(session: AsyncSession, starts: Sequence[datetime]) -> list[float]:
    """The demand for all products together of each day that begins with one of `starts`; the last of them only ends the
    day before. Reversed movements are included."""
    parameters = {"starts": list(starts), "since": starts[0], "until": starts[-1]}
    demand = {row.day: row.quantity for row in await session.execute(_TOTAL_DAILY_DEMAND, parameters)}
    return [demand.get(number, 0.0) for number in range(1, len(starts))]
