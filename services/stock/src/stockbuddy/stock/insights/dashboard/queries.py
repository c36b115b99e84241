"""Reads of the dashboard. Days are passed as the moments at which they begin."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.stock.insights.dashboard.schemas import DailySalesTotals, InventoryTotals, TopProduct

_INVENTORY_TOTALS = text("""
    WITH stocked AS (
        SELECT product_id, sum(on_hand) AS units, sum(value) AS value FROM level WHERE version > 0 GROUP BY product_id
    )
    SELECT count(p.id) AS total_products,
           coalesce(sum(h.units), 0) AS total_units,
           coalesce(round(sum(h.value), 4), 0) AS inventory_value,
           t.units AS units_in_transit, t.value AS value_in_transit,
           count(p.id) FILTER (
               WHERE coalesce(h.units, 0) <= coalesce(p.low_stock_threshold, s.default_low_stock_threshold)
           ) AS low_stock_count,
           count(p.id) FILTER (WHERE coalesce(h.units, 0) <= 0) AS out_of_stock_count
    FROM (
        SELECT coalesce(sum(in_transit), 0) AS units, coalesce(round(sum(value_in_transit), 4), 0) AS value
        FROM stock_transfer_line WHERE in_transit > 0
    ) t CROSS JOIN setting s LEFT JOIN product p ON NOT p.deleted LEFT JOIN stocked h ON h.product_id = p.id
    GROUP BY t.units, t.value
""")

# The amounts of returns and voids count on their own day; the number of sales is that of the sales made.
_DAILY_SALES = text("""
    SELECT day, CAST(sum(sales) AS bigint) AS sales, sum(amount) AS amount FROM (
        SELECT width_bucket(s.occurred_at, CAST(:starts AS timestamptz[])) AS day, count(*) AS sales,
               sum(s.total) AS amount
        FROM sale s WHERE s.occurred_at >= :since GROUP BY 1
        UNION ALL
        SELECT width_bucket(s.voided_at, CAST(:starts AS timestamptz[])), 0, -sum(s.total)
        FROM sale s WHERE s.voided_at >= :since GROUP BY 1
        UNION ALL
        SELECT width_bucket(r.occurred_at, CAST(:starts AS timestamptz[])), 0, -sum(r.total)
        FROM sale_return r WHERE r.occurred_at >= :since GROUP BY 1
    ) AS sales_and_returns GROUP BY day
""")

_TOP_PRODUCTS = text("""
    SELECT p.id AS product_id, p.sku, p.name, sum(t.quantity) AS quantity, sum(t.amount) AS revenue FROM (
        SELECT l.product_id, sum(l.quantity) AS quantity, sum(l.total) AS amount
        FROM sale s JOIN sale_line l ON l.sale_id = s.id
        WHERE s.occurred_at >= :since GROUP BY l.product_id
        UNION ALL
        SELECT l.product_id, -sum(l.quantity), -sum(l.total)
        FROM sale s JOIN sale_line l ON l.sale_id = s.id
        WHERE s.voided_at >= :since GROUP BY l.product_id
        UNION ALL
        SELECT l.product_id, -sum(b.quantity), -sum(b.amount)
        FROM sale_return r JOIN sale_return_line b ON b.return_id = r.id JOIN sale_line l ON l.id = b.sale_line_id
        WHERE r.occurred_at >= :since GROUP BY l.product_id
    ) AS t JOIN product p ON p.id = t.product_id
    GROUP BY p.id, p.sku, p.name HAVING sum(t.quantity) > 0
    ORDER BY revenue DESC, p.id LIMIT :limit
""")

_PENDING = text("""
    SELECT (SELECT count(*) FROM stock_transfer WHERE status = 'pending') AS transfers,
           (SELECT count(*) FROM purchase_order WHERE status IN ('ordered', 'partially_received')) AS orders
""")


async def fetch_inventory_totals(session: AsyncSession) -> InventoryTotals:
    return InventoryTotals.model_validate((await session.execute(_INVENTORY_TOTALS)).one())


async def fetch_daily_sales(
    session: AsyncSession, days: Sequence[date], starts: Sequence[datetime]
) -> list[DailySalesTotals]:
    """One for each of `days`, which begin at `starts`; the last one includes everything after its start."""
    rows = await session.execute(_DAILY_SALES, {"starts": list(starts), "since": starts[0]})
    totals = {row.day: (row.sales, row.amount) for row in rows}
    daily = [totals.get(number, (0, Decimal(0))) for number in range(1, len(days) + 1)]
    return [
        DailySalesTotals(date=day, count=count, revenue=revenue)
        for day, (count, revenue) in zip(days, daily, strict=True)
    ]


async def fetch_top_products(session: AsyncSession, since: datetime, limit: int) -> list[TopProduct]:
    rows = await session.execute(_TOP_PRODUCTS, {"since": since, "limit": limit})
    return [TopProduct.model_validate(row) for row in rows]


async def count_pending(session: AsyncSession) -> tuple[int, int]:
    """The number of transfers not yet shipped and of purchase orders not yet fully received."""
    row = (await session.execute(_PENDING)).one()
    return row.transfers, row.orders
