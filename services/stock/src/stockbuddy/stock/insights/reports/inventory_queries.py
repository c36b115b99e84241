"""Reads of the inventory reports."""

from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.stock.insights.history.queries import levels_at_sql, moment_parameters
from stockbuddy.stock.insights.reports.fifo_queries import END_OF_TIME, FIFO_LAYERS, replayed_layers
from stockbuddy.stock.insights.reports.sql import CATEGORY_FILTER, WAREHOUSE_FILTER, Rows, fetch_rows

CURRENT_LEVELS = "SELECT product_id, warehouse_id, lot, on_hand, value FROM level WHERE version > 0"
_PAST_LEVELS = levels_at_sql("as_of")
_FILTERS = f"{WAREHOUSE_FILTER} AND {CATEGORY_FILTER}"
_CURRENT_TRANSIT = """
    SELECT product_id, CAST(NULL AS bigint) AS warehouse_id, in_transit AS quantity, value_in_transit AS value
    FROM stock_transfer_line WHERE in_transit > 0
"""
_PAST_TRANSIT = """
    SELECT m.product_id, CAST(NULL AS bigint) AS warehouse_id, -m.quantity AS quantity, m.correction - m.value AS value
    FROM stock_transfer t JOIN movement m ON m.document = 'stock_transfer/' || t.id
    WHERE t.shipped_at <= :as_of AND (t.ended_at IS NULL OR t.ended_at > :as_of)
        AND m.movement_type IN ('transfer_out', 'transfer_in') AND m.occurred_at <= :as_of
"""

# Goods in transit are in no warehouse.
_VALUATION = """
    WITH costed AS ({costed}), parts AS ({parts})
    SELECT p.id AS product_id, p.sku, p.name, p.category, w.code AS warehouse,
           CASE WHEN v.warehouse_id IS NULL THEN 'in_transit' ELSE 'on_hand' END AS state, sum(v.quantity) AS quantity,
           sum(v.value) / nullif(sum(v.quantity), 0) AS unit_cost, sum(v.value) AS value
    FROM parts v JOIN product p ON p.id = v.product_id LEFT JOIN warehouse w ON w.id = v.warehouse_id
    GROUP BY p.id, v.warehouse_id, w.id HAVING sum(v.quantity) <> 0 OR sum(v.value) <> 0
    ORDER BY p.sku, w.code, p.id
"""
_AT_AVERAGE = f"""
    SELECT h.product_id, h.warehouse_id, h.on_hand AS quantity, h.value
    FROM costed h JOIN product p ON p.id = h.product_id WHERE {_FILTERS}
"""
# A negative level has no layers; it is valued at average cost.
_AT_FIFO = f"""
    SELECT product_id, warehouse_id, quantity, value FROM ({FIFO_LAYERS}) AS layers
    UNION ALL ({_AT_AVERAGE} AND h.on_hand < 0)
"""


async def fetch_valuation(session: AsyncSession, as_of: datetime | None, **filters: Any) -> Rows:
    """At moving average cost."""
    transit = f"""
        SELECT h.* FROM ({_CURRENT_TRANSIT if as_of is None else _PAST_TRANSIT}) AS h
        JOIN product p ON p.id = h.product_id WHERE {_FILTERS}
    """
    statement = _VALUATION.format(costed=_levels_sql(as_of), parts=f"{_AT_AVERAGE} UNION ALL {transit}")
    return await fetch_rows(session, statement, **_as_of_parameters(as_of), **filters)


async def fetch_fifo_valuation(session: AsyncSession, as_of: datetime | None, **filters: Any) -> Rows:
    return await _fetch_layered(session, _VALUATION.format(costed=_levels_sql(as_of), parts=_AT_FIFO), as_of, **filters)


async def _fetch_layered(session: AsyncSession, statement: str, as_of: datetime | None, **parameters: Any) -> Rows:
    async with replayed_layers(session, as_of or END_OF_TIME, parameters["category"]) as layers:
        return await fetch_rows(session, statement, **_as_of_parameters(as_of), **layers, **parameters)


def _levels_sql(as_of: datetime | None) -> str:
    return CURRENT_LEVELS if as_of is None else _PAST_LEVELS


def _as_of_parameters(as_of: datetime | None) -> dict[str, datetime | date]:
    return {} if as_of is None else moment_parameters("as_of", as_of)


_AGING = f"""
    WITH costed AS ({{costed}}), layers AS ({FIFO_LAYERS})
    SELECT p.id AS product_id, p.sku, p.name, p.category, w.code AS warehouse,
           CASE WHEN v.warehouse_id IS NULL THEN 'in_transit' ELSE 'on_hand' END AS state, sum(v.quantity) AS quantity,
           coalesce(sum(v.quantity) FILTER (WHERE v.age <= 30), 0) AS days_0_30,
           coalesce(sum(v.quantity) FILTER (WHERE v.age BETWEEN 31 AND 60), 0) AS days_31_60,
           coalesce(sum(v.quantity) FILTER (WHERE v.age BETWEEN 61 AND 90), 0) AS days_61_90,
           coalesce(sum(v.quantity) FILTER (WHERE v.age BETWEEN 91 AND 180), 0) AS days_91_180,
           coalesce(sum(v.quantity) FILTER (WHERE v.age > 180), 0) AS days_over_180,
           CAST(max(v.age) AS integer) AS oldest_days, sum(v.value) AS value
    FROM (SELECT l.*, greatest(floor(extract(epoch FROM :at - l.occurred_at) / 86400), 0) AS age FROM layers l) AS v
    JOIN product p ON p.id = v.product_id LEFT JOIN warehouse w ON w.id = v.warehouse_id
    GROUP BY p.id, v.warehouse_id, w.id ORDER BY p.sku, w.code, p.id
"""


async def fetch_aging(session: AsyncSession, as_of: datetime | None, at: datetime, **filters: Any) -> Rows:
    """`at`: when the age is measured. `as_of` None: current stock."""
    return await _fetch_layered(session, _AGING.format(costed=_levels_sql(as_of)), as_of, at=at, **filters)


_DEAD_STOCK = f"""
    WITH stocked AS (
        SELECT h.product_id, sum(h.on_hand) AS quantity, sum(h.value) AS value
        FROM level h JOIN product p ON p.id = h.product_id
        WHERE h.version > 0 AND {_FILTERS} GROUP BY h.product_id HAVING sum(h.on_hand) > 0
    ), history AS (
        SELECT h.product_id, min(h.occurred_at) AS first_at,
               max(h.occurred_at) FILTER (WHERE h.movement_type IN ('sale', 'out')) AS last_out_at,
               max(h.occurred_at) FILTER (WHERE h.movement_type IN ('purchase', 'in')) AS last_in_at
        FROM movement h
        WHERE {WAREHOUSE_FILTER}
            AND NOT EXISTS (SELECT FROM movement r WHERE r.reverses_id = h.id)
        GROUP BY h.product_id
    )
    SELECT p.id AS product_id, p.sku, p.name, p.category, stocked.quantity, stocked.value,
           history.last_out_at AS last_sold_at, history.last_in_at AS last_received_at,
           CAST(floor(extract(epoch FROM :now - coalesce(last_out_at, first_at)) / 86400) AS integer) AS idle_days
    FROM stocked JOIN history USING (product_id) JOIN product p ON p.id = stocked.product_id
    WHERE coalesce(history.last_out_at, history.first_at) < :idle_since
    ORDER BY stocked.value DESC, p.sku, p.id
"""


async def fetch_dead_stock(session: AsyncSession, now: datetime, idle_since: datetime, **filters: Any) -> Rows:
    return await fetch_rows(session, _DEAD_STOCK, now=now, idle_since=idle_since, **filters)


_MOVEMENT_TOTALS = f"""
    SELECT {{key}}, coalesce(sum(h.quantity) FILTER (WHERE h.occurred_at < :since), 0) AS opening,
           {", ".join(
               f"coalesce(sum(h.quantity) FILTER (WHERE h.occurred_at >= :since AND h.movement_type = '{kind}'), 0)"
               f' AS "{kind}"'
               for kind in ("purchase", "return", "transfer_in", "in", "sale", "damaged", "transfer_out", "out",
                            "adjustment"))},
           sum(h.quantity) AS closing
    FROM movement h JOIN product p ON p.id = h.product_id JOIN warehouse w ON w.id = h.warehouse_id
    WHERE h.occurred_at < :until AND {_FILTERS}
    GROUP BY {{group}} ORDER BY {{group}}
"""  # fmt: skip
_MOVEMENT_GROUPINGS = {
    "product": ("p.id AS product_id, p.sku, p.name", "p.sku, p.id"),
    "category": ("p.category", "p.category"),
    "warehouse": ("w.id AS warehouse_id, w.code AS warehouse", "w.code, w.id"),
}
_MOVEMENTS = f"""
    SELECT h.id, h.occurred_at, h.recorded_at, p.sku, p.name, w.code AS warehouse, h.movement_type, h.quantity,
           h.balance, h.unit_cost, h.value, h.reference_number, h.document, h.performed_by, h.notes
    FROM movement h JOIN product p ON p.id = h.product_id JOIN warehouse w ON w.id = h.warehouse_id
    WHERE h.occurred_at >= :since AND h.occurred_at < :until AND {_FILTERS}
    ORDER BY h.occurred_at, h.id LIMIT :limit
"""


async def fetch_movement_totals(
    session: AsyncSession, group_by: str, since: datetime, until: datetime, **filters: Any
) -> Rows:
    """The quantity before `since`, its change by movement type, and the quantity before `until`."""
    key, group = _MOVEMENT_GROUPINGS[group_by]
    statement = _MOVEMENT_TOTALS.format(key=key, group=group)
    return await fetch_rows(session, statement, since=since, until=until, **filters)


async def fetch_movements(session: AsyncSession, since: datetime, until: datetime, limit: int, **filters: Any) -> Rows:
    return await fetch_rows(session, _MOVEMENTS, since=since, until=until, limit=limit, **filters)
