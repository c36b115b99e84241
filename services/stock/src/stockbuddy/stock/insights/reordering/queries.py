"""What is read of reorder rules, and the figures that suggestions follow from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.pagination import PageQuery
from stockbuddy.stock.insights.reordering.model import ReorderRule
from stockbuddy.stock.listing import Listed, Sort, fetch_listed

BY_ID = Sort("id_asc", (ReorderRule.id,))


async def list_rules(
    session: AsyncSession, paging: PageQuery, *, product_id: int | None, warehouse_id: int | None, supplier_id: int | None
) -> Listed:
    chosen = [
        (ReorderRule.product_id, product_id),
        (ReorderRule.warehouse_id, warehouse_id),
        (ReorderRule.supplier_id, supplier_id),
    ]
    conditions: list[ColumnElement[bool]] = [column == value for column, value in chosen if value is not None]
    return await fetch_listed(session, select(ReorderRule).where(*conditions), BY_ID, paging)


async def find_rule(session: AsyncSession, rule_id: int, *, for_update: bool = False) -> ReorderRule | None:
    return await session.get(ReorderRule, rule_id, with_for_update=for_update or None)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A product in a warehouse, with everything that decides whether it is to be reordered there."""

    product_id: int
    sku: str
    name: str
    cost_price: Decimal | None
    warehouse_id: int
    warehouse_code: str
    supplier_id: int | None
    supplier: str | None
    supplier_lead_time_days: int | None
    on_hand: Decimal
    reserved: Decimal
    average_cost: Decimal | None
    incoming: Decimal
    threshold: Decimal
    demand_units: Decimal
    history_days: int
    demand_per_day: Decimal
    deviation_per_day: Decimal
    rule_id: int | None
    reorder_point: Decimal | None
    safety_stock: Decimal | None
    lead_time_days: int | None
    cover_days: int | None
    minimum_quantity: Decimal | None
    pack_size: Decimal | None


# Wherever a product lies, is on its way, or has a rule; and one that is nowhere, in the default warehouse.
# The deviation is that of all the days, those without demand included.
_CANDIDATES = text("""
    WITH held AS (
        SELECT product_id, warehouse_id, sum(on_hand) AS on_hand, sum(reserved) AS reserved,
               sum(on_hand * average_cost) / nullif(sum(on_hand) FILTER (WHERE average_cost IS NOT NULL), 0)
                   AS average_cost
        FROM level WHERE version > 0 GROUP BY product_id, warehouse_id
    ), ordered AS (
        SELECT product_id, warehouse_id, sum(outstanding) AS incoming
        FROM purchase_order_line WHERE outstanding > 0 GROUP BY product_id, warehouse_id
    ), sent AS (
        SELECT l.product_id, t.to_warehouse_id AS warehouse_id, sum(l.in_transit) AS incoming
        FROM stock_transfer_line l JOIN stock_transfer t ON t.id = l.transfer_id
        WHERE l.in_transit > 0 GROUP BY 1, 2
    ), daily AS (
        SELECT m.product_id, m.warehouse_id, width_bucket(m.occurred_at, CAST(:starts AS timestamptz[])) AS day,
               -sum(m.quantity) AS quantity
        FROM movement m
        WHERE m.movement_type IN ('sale', 'out') AND m.occurred_at >= :since AND m.occurred_at < :until
            AND NOT EXISTS (SELECT FROM movement r WHERE r.reverses_id = m.id)
        GROUP BY 1, 2, 3
    ), asked AS (
        SELECT product_id, warehouse_id, sum(quantity) AS units, sum(quantity * quantity) AS squares
        FROM daily GROUP BY product_id, warehouse_id
    ), begun AS (
        SELECT m.product_id, m.warehouse_id,
               least(greatest(width_bucket(now(), CAST(:starts AS timestamptz[]))
                   - width_bucket(min(m.occurred_at), CAST(:starts AS timestamptz[])), 1), :days) AS days
        FROM movement m GROUP BY m.product_id, m.warehouse_id
    ), places AS (
        SELECT product_id, warehouse_id FROM held
        UNION SELECT product_id, warehouse_id FROM ordered
        UNION SELECT product_id, warehouse_id FROM sent
        UNION SELECT product_id, warehouse_id FROM reorder_rule WHERE is_active
        UNION SELECT p.id, w.id FROM product p JOIN warehouse w ON w.is_default
            WHERE NOT EXISTS (SELECT FROM held WHERE held.product_id = p.id)
    )
    SELECT p.id, p.sku, p.name, p.cost_price, w.id, w.code, u.id, u.name, u.lead_time_days,
           coalesce(h.on_hand, 0), coalesce(h.reserved, 0), round(h.average_cost, 4),
           coalesce(o.incoming, 0) + coalesce(t.incoming, 0),
           coalesce(p.low_stock_threshold, c.default_low_stock_threshold),
           coalesce(a.units, 0), coalesce(b.days, 1), round(coalesce(a.units, 0) / coalesce(b.days, 1), 6),
           round(sqrt(greatest(coalesce(a.squares, 0) / coalesce(b.days, 1)
               - (coalesce(a.units, 0) / coalesce(b.days, 1)) ^ 2, 0)), 6),
           r.id, r.reorder_point, r.safety_stock, r.lead_time_days, r.cover_days, r.minimum_quantity, r.pack_size
    FROM places k
    JOIN product p ON p.id = k.product_id AND NOT p.deleted
    JOIN warehouse w ON w.id = k.warehouse_id AND NOT w.deleted
    CROSS JOIN setting c
    LEFT JOIN reorder_rule r ON (r.product_id, r.warehouse_id) = (k.product_id, k.warehouse_id)
    LEFT JOIN supplier u ON u.id = coalesce(r.supplier_id, p.supplier_id) AND NOT u.deleted
    LEFT JOIN held h ON (h.product_id, h.warehouse_id) = (k.product_id, k.warehouse_id)
    LEFT JOIN ordered o ON (o.product_id, o.warehouse_id) = (k.product_id, k.warehouse_id)
    LEFT JOIN sent t ON (t.product_id, t.warehouse_id) = (k.product_id, k.warehouse_id)
    LEFT JOIN asked a ON (a.product_id, a.warehouse_id) = (k.product_id, k.warehouse_id)
    LEFT JOIN begun b ON (b.product_id, b.warehouse_id) = (k.product_id, k.warehouse_id)
    WHERE coalesce(r.is_active, true)
        AND (CAST(:warehouse_id AS bigint) IS NULL OR w.id = CAST(:warehouse_id AS bigint))
        AND (CAST(:supplier_id AS bigint) IS NULL OR u.id = CAST(:supplier_id AS bigint))
        AND (CAST(:product_ids AS bigint[]) IS NULL OR p.id = ANY(CAST(:product_ids AS bigint[])))
""")


async def fetch_candidates(
    session: AsyncSession,
    starts: Sequence[datetime],
    *,
    warehouse_id: int | None = None,
    supplier_id: int | None = None,
    product_ids: Sequence[int] | None = None,
) -> list[Candidate]:
    """Demand is that of the days that begin with `starts`, the last of which only ends the one before."""
    rows = await session.execute(
        _CANDIDATES,
        {
            "starts": list(starts),
            "since": starts[0],
            "until": starts[-1],
            "days": len(starts) - 1,
            "warehouse_id": warehouse_id,
            "supplier_id": supplier_id,
            "product_ids": None if product_ids is None else list(product_ids),
        },
    )
    return [Candidate(*row) for row in rows]
