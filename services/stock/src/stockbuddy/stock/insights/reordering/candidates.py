"""The products that may have to be reordered, with the figures that a suggestion is computed from."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.stock.insights.reordering.policy import ReorderParameters

NO_RULE = ReorderParameters()


class Candidate(NamedTuple):
    """A product in a warehouse: a row of the statement below. From `rule_id` on: the fields of its reorder rule, None
    without one."""

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
    low_stock_threshold: Decimal
    rule_id: int | None
    reorder_point: Decimal | None
    safety_stock: Decimal | None
    lead_time_days: int | None
    cover_days: int | None
    minimum_quantity: Decimal | None
    pack_size: Decimal | None

    @property
    def inventory_position(self) -> Decimal:
        return self.on_hand - self.reserved + self.incoming

    @property
    def parameters(self) -> ReorderParameters:
        if self.rule_id is None:
            return NO_RULE
        return ReorderParameters(
            reorder_point=self.reorder_point,
            safety_stock=self.safety_stock,
            lead_time_days=self.lead_time_days,
            cover_days=self.cover_days,
            minimum_quantity=self.minimum_quantity,
            pack_size=self.pack_size,
        )


# A product is a candidate in each warehouse where it is stocked, incoming or has an active rule; a product that is
# stocked nowhere, in the default warehouse.
_CANDIDATES = text("""
    WITH stocked AS (
        SELECT product_id, warehouse_id, sum(on_hand) AS on_hand, sum(reserved) AS reserved,
               sum(value) / nullif(sum(on_hand) FILTER (WHERE last_cost IS NOT NULL), 0) AS average_cost
        FROM level WHERE version > 0 GROUP BY product_id, warehouse_id
    ), ordered AS (
        SELECT product_id, warehouse_id, sum(outstanding) AS incoming
        FROM purchase_order_line WHERE outstanding > 0 GROUP BY product_id, warehouse_id
    ), in_transit AS (
        SELECT l.product_id, t.to_warehouse_id AS warehouse_id, sum(l.in_transit) AS incoming
        FROM stock_transfer_line l JOIN stock_transfer t ON t.id = l.transfer_id
        WHERE l.in_transit > 0 GROUP BY 1, 2
    ), candidate AS (
        SELECT product_id, warehouse_id FROM stocked
        UNION SELECT product_id, warehouse_id FROM ordered
        UNION SELECT product_id, warehouse_id FROM in_transit
        UNION SELECT product_id, warehouse_id FROM reorder_rule WHERE is_active
        UNION SELECT p.id, w.id FROM product p JOIN warehouse w ON w.is_default
            WHERE NOT EXISTS (SELECT FROM stocked WHERE stocked.product_id = p.id)
    )
    SELECT p.id AS product_id, p.sku, p.name, p.cost_price, w.id AS warehouse_id, w.code AS warehouse_code,
           u.id AS supplier_id, u.name AS supplier, u.lead_time_days AS supplier_lead_time_days,
           coalesce(h.on_hand, 0) AS on_hand, coalesce(h.reserved, 0) AS reserved,
           round(h.average_cost, 4) AS average_cost, coalesce(o.incoming, 0) + coalesce(t.incoming, 0) AS incoming,
           coalesce(p.low_stock_threshold, c.default_low_stock_threshold) AS low_stock_threshold,
           r.id AS rule_id, r.reorder_point, r.safety_stock, r.lead_time_days, r.cover_days, r.minimum_quantity,
           r.pack_size
    FROM candidate k
    JOIN product p ON p.id = k.product_id AND NOT p.deleted AND p.inactive_since IS NULL
    JOIN warehouse w ON w.id = k.warehouse_id AND NOT w.deleted
    CROSS JOIN setting c
    LEFT JOIN reorder_rule r ON (r.product_id, r.warehouse_id) = (k.product_id, k.warehouse_id)
    LEFT JOIN supplier u ON u.id = coalesce(r.supplier_id, p.supplier_id) AND NOT u.deleted
    LEFT JOIN stocked h ON (h.product_id, h.warehouse_id) = (k.product_id, k.warehouse_id)
    LEFT JOIN ordered o ON (o.product_id, o.warehouse_id) = (k.product_id, k.warehouse_id)
    LEFT JOIN in_transit t ON (t.product_id, t.warehouse_id) = (k.product_id, k.warehouse_id)
    WHERE coalesce(r.is_active, true)
        AND (CAST(:warehouse_id AS bigint) IS NULL OR w.id = CAST(:warehouse_id AS bigint))
        AND (CAST(:supplier_id AS bigint) IS NULL OR u.id = CAST(:supplier_id AS bigint))
        AND (CAST(:product_ids AS bigint[]) IS NULL OR p.id = ANY(CAST(:product_ids AS bigint[])))
""")


async def fetch_candidates(
    session: AsyncSession,
    *,
    warehouse_id: int | None = None,
    supplier_id: int | None = None,
    product_ids: Sequence[int] | None = None,
) -> list[Candidate]:
    rows = await session.execute(
        _CANDIDATES,
        {
            "warehouse_id": warehouse_id,
            "supplier_id": supplier_id,
            "product_ids": None if product_ids is None else list(product_ids),
        },
    )
    return [Candidate._make(row) for row in rows]
