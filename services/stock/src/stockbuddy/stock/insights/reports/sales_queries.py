"""Reads of the sales, profit and turnover reports."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.stock.insights.history.queries import levels_at_sql, moment_parameters
from stockbuddy.stock.insights.reports.sql import CATEGORY_FILTER, WAREHOUSE_FILTER, Rows, fetch_rows

# Returns and voids count on their own day, as their movements do; a void takes back all figures of its sale, and is
# counted apart.
_SALES_AND_RETURNS = """
    SELECT s.occurred_at AS at, s.id AS sale_id, CAST(NULL AS bigint) AS void_id,
           CASE WHEN l.position = 0 THEN 1 ELSE 0 END AS count, 0 AS voids, s.warehouse_id, s.customer_id, s.sold_by,
           s.seller, l.product_id, l.quantity AS sold, 0 AS returned, l.total + l.discount AS gross, l.discount,
           0 AS refunds, coalesce(l.cost, l.quantity * l.unit_cost) AS cost
    FROM sale s JOIN sale_line l ON l.sale_id = s.id
    WHERE s.occurred_at >= :since AND s.occurred_at < :until
    UNION ALL
    SELECT s.voided_at, NULL, s.id, 0, CASE WHEN l.position = 0 THEN 1 ELSE 0 END, s.warehouse_id, s.customer_id,
           s.sold_by, s.seller, l.product_id, -l.quantity, 0, -l.total - l.discount, -l.discount, 0,
           -coalesce(l.cost, l.quantity * l.unit_cost)
    FROM sale s JOIN sale_line l ON l.sale_id = s.id
    WHERE s.voided_at >= :since AND s.voided_at < :until
    UNION ALL
    SELECT r.occurred_at, NULL, NULL, 0, 0, s.warehouse_id, s.customer_id, s.sold_by, s.seller, l.product_id, 0,
           b.quantity, 0, 0, b.amount,
           CASE WHEN r.restock THEN -coalesce(b.cost, b.quantity * l.unit_cost) ELSE 0 END
    FROM sale_return r JOIN sale s ON s.id = r.sale_id JOIN sale_return_line b ON b.return_id = r.id
    JOIN sale_line l ON l.id = b.sale_line_id
    WHERE r.occurred_at >= :since AND r.occurred_at < :until
"""
_FIGURES = """
    {counts}, sum(h.sold) AS sold, sum(h.returned) AS returned, sum(h.gross) AS gross,
    sum(h.discount) AS discounts, sum(h.refunds) AS refunds, sum(h.gross - h.discount - h.refunds) AS revenue,
    coalesce(sum(h.cost), 0) AS cost, sum(h.gross - h.discount - h.refunds) - coalesce(sum(h.cost), 0) AS profit
"""
_SALES = f"""
    SELECT {{key}}, {_FIGURES}
    FROM ({_SALES_AND_RETURNS}) AS h JOIN product p ON p.id = h.product_id {{joins}}
    WHERE {WAREHOUSE_FILTER} AND {CATEGORY_FILTER}
    GROUP BY {{group}}
    HAVING sum(h.sold) <> 0 OR sum(h.returned) <> 0 OR sum(h.gross) <> 0 OR sum(h.refunds) <> 0
    ORDER BY {{order}}
"""
_COUNT_FIRST_LINES = "sum(h.count) AS sales, sum(h.voids) AS voided"
_COUNT_DISTINCT = "count(DISTINCT h.sale_id) AS sales, count(DISTINCT h.void_id) AS voided"
_BY_REVENUE = "revenue DESC"
_SALES_GROUPINGS = {
    "period": ("width_bucket(h.at, CAST(:starts AS timestamptz[])) AS part", "", "1", "1", _COUNT_FIRST_LINES),
    "product": ("p.id AS product_id, p.sku, p.name", "", "p.id", f"{_BY_REVENUE}, p.id", _COUNT_DISTINCT),
    "category": ("p.category", "", "p.category", f"{_BY_REVENUE}, p.category", _COUNT_DISTINCT),
    "customer": (
        "h.customer_id, c.name AS customer", "LEFT JOIN customer c ON c.id = h.customer_id",
        "h.customer_id, c.name", f"{_BY_REVENUE}, h.customer_id", _COUNT_FIRST_LINES,
    ),
    "seller": (
        "h.sold_by, max(h.seller) AS seller", "", "h.sold_by", f"{_BY_REVENUE}, h.sold_by", _COUNT_FIRST_LINES
    ),
    "warehouse": (
        "w.id AS warehouse_id, w.code AS warehouse", "JOIN warehouse w ON w.id = h.warehouse_id",
        "w.id", f"{_BY_REVENUE}, w.id", _COUNT_FIRST_LINES,
    ),
}  # fmt: skip


async def fetch_sales(
    session: AsyncSession,
    group_by: str,
    since: datetime,
    until: datetime,
    starts: Sequence[datetime],
    *,
    warehouse_id: int | None,
    category: str | None,
) -> Rows:
    """Grouped by `period`, `part` is the position (from 1) in `starts` of the period's start."""
    key, joins, group, order, counts = _SALES_GROUPINGS[group_by]
    # The first line of a sale may be of another category.
    counts = _COUNT_DISTINCT if category is not None else counts
    statement = _SALES.format(key=key, joins=joins, group=group, order=order, counts=counts)
    filters = {"warehouse_id": warehouse_id, "category": category}
    return await fetch_rows(session, statement, since=since, until=until, starts=list(starts), **filters)


_EXPENSES = f"""
    SELECT width_bucket(h.incurred_on, CAST(:days AS date[])) AS part, sum(h.amount) AS expenses
    FROM expense h
    WHERE h.incurred_on >= :first AND h.incurred_on < :after AND {WAREHOUSE_FILTER}
    GROUP BY 1
"""


async def fetch_expenses(
    session: AsyncSession, days: Sequence[date], first: date, after: date, warehouse_id: int | None
) -> dict[int, Any]:
    """The expenses of each part of `[first, after)`, by its position (from 1) in `days`, the parts' first days."""
    rows = await fetch_rows(session, _EXPENSES, days=list(days), first=first, after=after, warehouse_id=warehouse_id)
    return {row["part"]: row["expenses"] for row in rows}


_VALUE = f"""
    SELECT h.product_id, sum(h.value) AS value
    FROM ({{costed}}) AS h
    WHERE (h.on_hand <> 0 OR h.value <> 0) AND {WAREHOUSE_FILTER}
    GROUP BY h.product_id
"""
_OPENING_VALUE = _VALUE.format(costed=levels_at_sql("opening"))
_CLOSING_VALUE = _VALUE.format(costed=levels_at_sql("closing"))
_TURNOVER = f"""
    WITH opened AS ({_OPENING_VALUE}), closed AS ({_CLOSING_VALUE}), sold AS (
        SELECT h.product_id, sum(h.sold - h.returned) AS sold, coalesce(sum(h.cost), 0) AS cost
        FROM ({_SALES_AND_RETURNS}) AS h
        WHERE {WAREHOUSE_FILTER} GROUP BY h.product_id
    )
    SELECT p.id AS product_id, p.sku, p.name, p.category, coalesce(s.sold, 0) AS sold, coalesce(s.cost, 0) AS cost,
           coalesce(o.value, 0) AS opening_value, coalesce(c.value, 0) AS closing_value
    FROM product p LEFT JOIN opened o ON o.product_id = p.id LEFT JOIN closed c ON c.product_id = p.id
    LEFT JOIN sold s ON s.product_id = p.id
    WHERE coalesce(s.product_id, o.product_id, c.product_id) IS NOT NULL AND {CATEGORY_FILTER}
    ORDER BY p.sku, p.id
"""


async def fetch_turnover(session: AsyncSession, since: datetime, until: datetime, **filters: Any) -> Rows:
    # The period is half-open; past levels include the movements at their moment.
    last_moment = timedelta(microseconds=1)
    opening = moment_parameters("opening", since - last_moment)
    closing = moment_parameters("closing", until - last_moment)
    return await fetch_rows(session, _TURNOVER, since=since, until=until, **opening, **closing, **filters)
