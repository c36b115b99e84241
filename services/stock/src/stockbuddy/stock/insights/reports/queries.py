"""What reports are counted from. Every figure of a report comes from one statement, and so from one moment."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.stock.insights.history.queries import moment_values, statement_of_levels

Rows = list[dict[str, Any]]


async def _rows(session: AsyncSession, statement: str, **values: Any) -> Rows:
    wanted = {name: value for name, value in values.items() if f":{name}" in statement}
    return [dict(row) for row in (await session.execute(text(statement), wanted)).mappings()]


_COSTED = {
    "now": "SELECT product_id, warehouse_id, lot, on_hand, average_cost FROM level WHERE version > 0",
    "then": statement_of_levels("as_of"),
}
_CHOSEN = """
    NOT p.deleted
    AND (CAST(:warehouse_id AS bigint) IS NULL OR h.warehouse_id = CAST(:warehouse_id AS bigint))
    AND (CAST(:category AS text) IS NULL OR lower(p.category) = lower(CAST(:category AS text)))
"""
# First in, first out: what lies there came with the newest receipts. Receipts that were reversed never came, and what
# a reversal (or a void) put back had never gone.
_LAYERS = """
    SELECT i.product_id, i.warehouse_id, i.lot, i.occurred_at,
           least(i.quantity, i.on_hand - (i.upto - i.quantity)) AS quantity,
           coalesce(i.unit_cost, i.average_cost, i.cost_price, 0) AS unit_cost
    FROM (
        SELECT h.product_id, h.warehouse_id, h.lot, h.on_hand, h.average_cost, p.cost_price, m.quantity, m.unit_cost,
               m.occurred_at,
               sum(m.quantity) OVER (
                   PARTITION BY h.product_id, h.warehouse_id, h.lot ORDER BY m.occurred_at DESC, m.id DESC
               ) AS upto
        FROM costed h
        JOIN product p ON p.id = h.product_id
        JOIN movement m ON (m.product_id, m.warehouse_id, m.lot) = (h.product_id, h.warehouse_id, h.lot)
        WHERE h.on_hand > 0 AND m.quantity > 0 AND m.reverses_id IS NULL AND m.occurred_at <= :until AND {chosen}
            AND NOT EXISTS (SELECT FROM movement r WHERE r.reverses_id = m.id AND r.occurred_at <= :until)
    ) AS i
    WHERE i.upto - i.quantity < i.on_hand
"""

_VALUATION = """
    WITH costed AS ({costed}), parts AS ({parts})
    SELECT p.id AS product_id, p.sku, p.name, p.category, w.code AS warehouse, sum(v.quantity) AS quantity,
           round(sum(v.value) / nullif(sum(v.quantity), 0), 4) AS unit_cost, sum(v.value) AS value
    FROM parts v JOIN product p ON p.id = v.product_id JOIN warehouse w ON w.id = v.warehouse_id
    GROUP BY p.id, w.id HAVING sum(v.quantity) <> 0 ORDER BY p.sku, w.code, p.id
"""
_AT_AVERAGE = f"""
    SELECT h.product_id, h.warehouse_id, h.on_hand AS quantity,
           round(h.on_hand * coalesce(h.average_cost, p.cost_price, 0), 4) AS value
    FROM costed h JOIN product p ON p.id = h.product_id WHERE {_CHOSEN}
"""
# A level that was overdrawn owes its average.
_AT_FIFO = f"""
    SELECT product_id, warehouse_id, quantity, round(quantity * unit_cost, 4) AS value
    FROM ({_LAYERS.format(chosen=_CHOSEN)}) AS layers
    UNION ALL ({_AT_AVERAGE} AND h.on_hand < 0)
"""


_ALL_TIME = datetime(9000, 1, 1, tzinfo=UTC)
_INSTANT = timedelta(microseconds=1)


async def fetch_valuation(
    session: AsyncSession, method: Literal["average", "fifo"], as_of: datetime | None, **chosen: Any
) -> Rows:
    parts = _AT_AVERAGE if method == "average" else _AT_FIFO
    statement = _VALUATION.format(costed=_COSTED["now" if as_of is None else "then"], parts=parts)
    return await _rows(session, statement, **_until(as_of), **chosen)


def _until(as_of: datetime | None) -> dict[str, datetime | date]:
    return {"until": _ALL_TIME} if as_of is None else {"until": as_of, **moment_values("as_of", as_of)}


_AGING = f"""
    WITH costed AS ({{costed}}), layers AS ({_LAYERS.format(chosen=_CHOSEN)})
    SELECT p.id AS product_id, p.sku, p.name, p.category, w.code AS warehouse, sum(v.quantity) AS quantity,
           coalesce(sum(v.quantity) FILTER (WHERE v.age <= 30), 0) AS days_0_30,
           coalesce(sum(v.quantity) FILTER (WHERE v.age BETWEEN 31 AND 60), 0) AS days_31_60,
           coalesce(sum(v.quantity) FILTER (WHERE v.age BETWEEN 61 AND 90), 0) AS days_61_90,
           coalesce(sum(v.quantity) FILTER (WHERE v.age BETWEEN 91 AND 180), 0) AS days_91_180,
           coalesce(sum(v.quantity) FILTER (WHERE v.age > 180), 0) AS days_over_180,
           CAST(max(v.age) AS integer) AS oldest_days, sum(round(v.quantity * v.unit_cost, 4)) AS value
    FROM (SELECT l.*, greatest(floor(extract(epoch FROM :at - l.occurred_at) / 86400), 0) AS age FROM layers l) AS v
    JOIN product p ON p.id = v.product_id JOIN warehouse w ON w.id = v.warehouse_id
    GROUP BY p.id, w.id ORDER BY p.sku, w.code, p.id
"""


async def fetch_aging(session: AsyncSession, as_of: datetime | None, at: datetime, **chosen: Any) -> Rows:
    """`at` is when the age is counted from; `as_of` None is what lies there now."""
    statement = _AGING.format(costed=_COSTED["now" if as_of is None else "then"])
    return await _rows(session, statement, **_until(as_of), at=at, **chosen)


_DEAD = f"""
    WITH held AS (
        SELECT h.product_id, sum(h.on_hand) AS quantity,
               sum(round(h.on_hand * coalesce(h.average_cost, p.cost_price, 0), 4)) AS value
        FROM level h JOIN product p ON p.id = h.product_id
        WHERE h.version > 0 AND {_CHOSEN} GROUP BY h.product_id HAVING sum(h.on_hand) > 0
    ), history AS (
        SELECT h.product_id, min(h.occurred_at) AS first_at,
               max(h.occurred_at) FILTER (WHERE h.movement_type IN ('sale', 'out')) AS last_out_at,
               max(h.occurred_at) FILTER (WHERE h.movement_type IN ('purchase', 'in')) AS last_in_at
        FROM movement h
        WHERE (CAST(:warehouse_id AS bigint) IS NULL OR h.warehouse_id = CAST(:warehouse_id AS bigint))
            AND NOT EXISTS (SELECT FROM movement r WHERE r.reverses_id = h.id)
        GROUP BY h.product_id
    )
    SELECT p.id AS product_id, p.sku, p.name, p.category, held.quantity, held.value,
           history.last_out_at AS last_sold_at, history.last_in_at AS last_received_at,
           CAST(floor(extract(epoch FROM :now - coalesce(last_out_at, first_at)) / 86400) AS integer) AS idle_days
    FROM held JOIN history USING (product_id) JOIN product p ON p.id = held.product_id
    WHERE coalesce(history.last_out_at, history.first_at) < :idle_since
    ORDER BY held.value DESC, p.sku, p.id
"""


async def fetch_dead_stock(session: AsyncSession, now: datetime, idle_since: datetime, **chosen: Any) -> Rows:
    return await _rows(session, _DEAD, now=now, idle_since=idle_since, **chosen)


_MOVED = f"""
    SELECT {{key}}, coalesce(sum(h.quantity) FILTER (WHERE h.occurred_at < :since), 0) AS opening,
           {", ".join(
               f"coalesce(sum(h.quantity) FILTER (WHERE h.occurred_at >= :since AND h.movement_type = '{kind}'), 0)"
               f' AS "{kind}"'
               for kind in ("purchase", "return", "transfer_in", "in", "sale", "damaged", "transfer_out", "out",
                            "adjustment"))},
           sum(h.quantity) AS closing
    FROM movement h JOIN product p ON p.id = h.product_id JOIN warehouse w ON w.id = h.warehouse_id
    WHERE h.occurred_at < :until AND {_CHOSEN}
    GROUP BY {{group}} ORDER BY {{group}}
"""  # fmt: skip
_MOVED_BY = {
    "product": ("p.id AS product_id, p.sku, p.name", "p.sku, p.id"),
    "category": ("p.category", "p.category"),
    "warehouse": ("w.id AS warehouse_id, w.code AS warehouse", "w.code, w.id"),
}
_EACH_MOVED = f"""
    SELECT h.id, h.occurred_at, h.recorded_at, p.sku, p.name, w.code AS warehouse, h.movement_type, h.quantity,
           h.balance, h.unit_cost, h.reference_number, h.document, h.performed_by, h.notes
    FROM movement h JOIN product p ON p.id = h.product_id JOIN warehouse w ON w.id = h.warehouse_id
    WHERE h.occurred_at >= :since AND h.occurred_at < :until AND {_CHOSEN}
    ORDER BY h.occurred_at, h.id LIMIT :most
"""


async def fetch_moved(session: AsyncSession, group_by: str, since: datetime, until: datetime, **chosen: Any) -> Rows:
    """What there was before `since`, what changed by each type, and what there was before `until`."""
    key, group = _MOVED_BY[group_by]
    return await _rows(session, _MOVED.format(key=key, group=group), since=since, until=until, **chosen)


async def fetch_movements(session: AsyncSession, since: datetime, until: datetime, most: int, **chosen: Any) -> Rows:
    return await _rows(session, _EACH_MOVED, since=since, until=until, most=most, **chosen)


# Sold lines on the day of their sale, what came back on the day on which it did. Voided sales never were.
_TRADED = """
    SELECT s.occurred_at AS at, s.id AS sale_id, l.position = 0 AS is_first, s.warehouse_id, s.customer_id, s.sold_by,
           s.seller, l.product_id, l.quantity AS sold, 0 AS returned, l.total + l.discount AS gross, l.discount,
           0 AS refunds, l.quantity * l.unit_cost AS cost
    FROM sale s JOIN sale_line l ON l.sale_id = s.id
    WHERE s.status <> 'voided' AND s.occurred_at >= :since AND s.occurred_at < :until
    UNION ALL
    SELECT r.occurred_at, NULL, false, s.warehouse_id, s.customer_id, s.sold_by,
           s.seller, l.product_id, 0, b.quantity, 0, 0, b.amount,
           CASE WHEN r.restock THEN -b.quantity * l.unit_cost ELSE 0 END
    FROM sale_return r JOIN sale s ON s.id = r.sale_id JOIN sale_return_line b ON b.return_id = r.id
    JOIN sale_line l ON l.id = b.sale_line_id
    WHERE s.status <> 'voided' AND r.occurred_at >= :since AND r.occurred_at < :until
"""
_FIGURES = """
    {sales} AS sales, sum(h.sold) AS sold, sum(h.returned) AS returned, sum(h.gross) AS gross,
    sum(h.discount) AS discounts, sum(h.refunds) AS refunds, sum(h.gross - h.discount - h.refunds) AS revenue,
    round(coalesce(sum(h.cost), 0), 4) AS cost,
    sum(h.gross - h.discount - h.refunds) - round(coalesce(sum(h.cost), 0), 4) AS profit
"""
_SALES = f"""
    SELECT {{key}}, {_FIGURES}
    FROM ({_TRADED}) AS h JOIN product p ON p.id = h.product_id {{joins}}
    WHERE (CAST(:warehouse_id AS bigint) IS NULL OR h.warehouse_id = CAST(:warehouse_id AS bigint))
        AND (CAST(:category AS text) IS NULL OR lower(p.category) = lower(CAST(:category AS text)))
    GROUP BY {{group}} ORDER BY {{order}}
"""
_EACH_ONCE = "count(*) FILTER (WHERE h.is_first)"
_DISTINCT = "count(DISTINCT h.sale_id)"
_BY_REVENUE = "revenue DESC"
_SALES_BY = {
    "period": ("width_bucket(h.at, CAST(:starts AS timestamptz[])) AS part", "", "1", "1", _EACH_ONCE),
    "product": ("p.id AS product_id, p.sku, p.name", "", "p.id", f"{_BY_REVENUE}, p.id", _DISTINCT),
    "category": ("p.category", "", "p.category", f"{_BY_REVENUE}, p.category", _DISTINCT),
    "customer": (
        "h.customer_id, c.name AS customer", "LEFT JOIN customer c ON c.id = h.customer_id",
        "h.customer_id, c.name", f"{_BY_REVENUE}, h.customer_id", _EACH_ONCE,
    ),
    "seller": (
        "h.sold_by, max(h.seller) AS seller", "", "h.sold_by", f"{_BY_REVENUE}, h.sold_by", _EACH_ONCE
    ),
    "warehouse": (
        "w.id AS warehouse_id, w.code AS warehouse", "JOIN warehouse w ON w.id = h.warehouse_id",
        "w.id", f"{_BY_REVENUE}, w.id", _EACH_ONCE,
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
    """By `period`, `part` counts from 1 which of `starts` was the last before it."""
    key, joins, group, order, sales = _SALES_BY[group_by]
    # A sale with lines of several categories counts wherever it has one.
    sales = _DISTINCT if category is not None else sales
    statement = _SALES.format(key=key, joins=joins, group=group, order=order, sales=sales)
    return await _rows(
        session, statement, since=since, until=until, starts=list(starts), warehouse_id=warehouse_id, category=category
    )


_EXPENSES = """
    SELECT width_bucket(e.incurred_on, CAST(:days AS date[])) AS part, sum(e.amount) AS expenses
    FROM expense e
    WHERE e.incurred_on >= :first AND e.incurred_on < :after
        AND (CAST(:warehouse_id AS bigint) IS NULL OR e.warehouse_id = CAST(:warehouse_id AS bigint))
    GROUP BY 1
"""


async def fetch_expenses(
    session: AsyncSession, days: Sequence[date], first: date, after: date, warehouse_id: int | None
) -> dict[int, Any]:
    """What was spent in each part of `[first, after)`, counted from 1."""
    found = await _rows(session, _EXPENSES, days=list(days), first=first, after=after, warehouse_id=warehouse_id)
    return {row["part"]: row["expenses"] for row in found}


_WORTH = """
    SELECT h.product_id, sum(round(h.on_hand * coalesce(h.average_cost, p.cost_price, 0), 4)) AS value
    FROM ({costed}) AS h JOIN product p ON p.id = h.product_id
    WHERE h.on_hand <> 0 AND (CAST(:warehouse_id AS bigint) IS NULL OR h.warehouse_id = CAST(:warehouse_id AS bigint))
    GROUP BY h.product_id
"""
_OPENING_WORTH = _WORTH.format(costed=statement_of_levels("opening"))
_CLOSING_WORTH = _WORTH.format(costed=statement_of_levels("closing"))
_TURNOVER = f"""
    WITH opened AS ({_OPENING_WORTH}), closed AS ({_CLOSING_WORTH}), sold AS (
        SELECT h.product_id, sum(h.sold - h.returned) AS sold, round(coalesce(sum(h.cost), 0), 4) AS cost
        FROM ({_TRADED}) AS h
        WHERE CAST(:warehouse_id AS bigint) IS NULL OR h.warehouse_id = CAST(:warehouse_id AS bigint)
        GROUP BY h.product_id
    )
    SELECT p.id AS product_id, p.sku, p.name, p.category, coalesce(s.sold, 0) AS sold, coalesce(s.cost, 0) AS cost,
           coalesce(o.value, 0) AS opening_value, coalesce(c.value, 0) AS closing_value
    FROM product p LEFT JOIN opened o ON o.product_id = p.id LEFT JOIN closed c ON c.product_id = p.id
    LEFT JOIN sold s ON s.product_id = p.id
    WHERE coalesce(s.product_id, o.product_id, c.product_id) IS NOT NULL
        AND (CAST(:category AS text) IS NULL OR lower(p.category) = lower(CAST(:category AS text)))
    ORDER BY p.sku, p.id
"""


async def fetch_turnover(session: AsyncSession, since: datetime, until: datetime, **chosen: Any) -> Rows:
    # The period is half-open, and the past is asked for by its last moment.
    opening, closing = (moment_values(name, end - _INSTANT) for name, end in (("opening", since), ("closing", until)))
    return await _rows(session, _TURNOVER, since=since, until=until, **opening, **closing, **chosen)
