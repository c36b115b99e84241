"""What the dashboard is counted from. Days are given as their first moments."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.stock.insights.dashboard.schemas import DayTakings, Stocks, TopProduct

_STOCKS = text("""
    WITH held AS (
        SELECT l.product_id, sum(l.on_hand) AS units,
               sum(round(l.on_hand * coalesce(l.average_cost, p.cost_price, 0), 4)) AS value
        FROM level l JOIN product p ON p.id = l.product_id WHERE l.version > 0 GROUP BY l.product_id
    )
    SELECT count(*) AS total_products,
           coalesce(sum(h.units), 0) AS total_units,
           coalesce(sum(h.value), 0) AS inventory_value,
           count(*) FILTER (
               WHERE coalesce(h.units, 0) <= coalesce(p.low_stock_threshold, s.default_low_stock_threshold)
           ) AS low_stock_count,
           count(*) FILTER (WHERE coalesce(h.units, 0) <= 0) AS out_of_stock_count
    FROM product p CROSS JOIN setting s LEFT JOIN held h ON h.product_id = p.id
    WHERE NOT p.deleted
""")

_TAKINGS = text("""
    SELECT day, CAST(sum(sales) AS bigint) AS sales, sum(amount) AS amount FROM (
        SELECT width_bucket(s.occurred_at, CAST(:starts AS timestamptz[])) AS day, count(*) AS sales,
               sum(s.total) AS amount
        FROM sale s WHERE s.occurred_at >= :since AND s.status <> 'voided' GROUP BY 1
        UNION ALL
        SELECT width_bucket(r.occurred_at, CAST(:starts AS timestamptz[])), 0, -sum(r.total)
        FROM sale_return r JOIN sale s ON s.id = r.sale_id
        WHERE r.occurred_at >= :since AND s.status <> 'voided' GROUP BY 1
    ) AS facts GROUP BY day
""")

_TOP = text("""
    SELECT p.id AS product_id, p.sku, p.name, sum(t.quantity) AS quantity, sum(t.amount) AS revenue FROM (
        SELECT l.product_id, sum(l.quantity) AS quantity, sum(l.total) AS amount
        FROM sale s JOIN sale_line l ON l.sale_id = s.id
        WHERE s.occurred_at >= :since AND s.status <> 'voided' GROUP BY l.product_id
        UNION ALL
        SELECT l.product_id, -sum(b.quantity), -sum(b.amount)
        FROM sale_return r JOIN sale s ON s.id = r.sale_id
        JOIN sale_return_line b ON b.return_id = r.id JOIN sale_line l ON l.id = b.sale_line_id
        WHERE r.occurred_at >= :since AND s.status <> 'voided' GROUP BY l.product_id
    ) AS t JOIN product p ON p.id = t.product_id
    GROUP BY p.id, p.sku, p.name HAVING sum(t.quantity) > 0
    ORDER BY revenue DESC, p.id LIMIT :most
""")

_WAITING = text("""
    SELECT (SELECT count(*) FROM stock_transfer WHERE status = 'pending') AS transfers,
           (SELECT count(*) FROM purchase_order WHERE status IN ('ordered', 'partially_received')) AS orders
""")


async def fetch_stocks(session: AsyncSession) -> Stocks:
    return Stocks.model_validate((await session.execute(_STOCKS)).one())


async def fetch_takings(session: AsyncSession, days: Sequence[date], starts: Sequence[datetime]) -> list[DayTakings]:
    """One for each day; the last one has no end."""
    rows = await session.execute(_TAKINGS, {"starts": list(starts), "since": starts[0]})
    found = {row.day: row for row in rows}
    return [
        DayTakings(date=day, count=found[number].sales, revenue=found[number].amount)
        if number in found
        else DayTakings(date=day, count=0, revenue=Decimal(0))
        for number, day in enumerate(days, start=1)
    ]


async def fetch_top_products(session: AsyncSession, since: datetime, most: int) -> list[TopProduct]:
    rows = await session.execute(_TOP, {"since": since, "most": most})
    return [TopProduct.model_validate(row) for row in rows]


async def count_waiting(session: AsyncSession) -> tuple[int, int]:
    """Transfers that have not been shipped, and purchase orders of which something is still to come."""
    row = (await session.execute(_WAITING)).one()
    return row.transfers, row.orders
