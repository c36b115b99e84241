"""Snapshots of expected quantities, and the counted quantities compared with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.stock.documents.counts.model import Count
from stockbuddy.stock.replicas.categories import is_in_category_sql

# One statement, so that all levels are read as of the same time.
_SNAPSHOT_LEVELS = text(f"""
    INSERT INTO stock_count_line (count_id, product_id, lot, expected, level_version)
    SELECT :count_id, l.product_id, l.lot, l.on_hand, l.version
    FROM level l JOIN product p ON p.id = l.product_id
    WHERE l.warehouse_id = :warehouse_id AND l.version > 0 AND NOT p.deleted
      AND (CAST(:product_ids AS bigint[]) IS NULL OR p.id = ANY(:product_ids))
      AND {is_in_category_sql(":category")}
      AND (CAST(:owner_id AS bigint) IS NULL OR p.owner_id = :owner_id)
    ON CONFLICT DO NOTHING
""")
_SNAPSHOT_PRODUCTS = text("""
    INSERT INTO stock_count_line (count_id, product_id, lot, expected, level_version)
    SELECT :count_id, c.product_id, c.lot, coalesce(l.on_hand, 0), coalesce(l.version, 0)
    FROM unnest(CAST(:product_ids AS bigint[]), CAST(:lots AS bigint[])) AS c(product_id, lot)
    LEFT JOIN level l ON l.product_id = c.product_id AND l.lot = c.lot AND l.warehouse_id = :warehouse_id
    ON CONFLICT DO NOTHING
""")
# Expected: the quantity when it was counted, which is now unless the client says otherwise. Movements that are recorded
# later, but had occurred by then, are not part of `expected`; the approval takes them into account.
_ENTER_COUNTED = text("""
    UPDATE stock_count_line c
    SET counted = :counted, counted_at = n.counted_at, counted_by = :counted_by, level_version = n.version,
        expected = n.on_hand
            - coalesce((SELECT sum(m.quantity) FROM movement m
                        WHERE (m.product_id, m.warehouse_id, m.lot) = (:product_id, :warehouse_id, :lot)
                          AND m.occurred_at > n.counted_at), 0)
    FROM (
        SELECT coalesce(max(l.on_hand), 0) AS on_hand, coalesce(max(l.version), 0) AS version,
               CASE WHEN CAST(:counted AS numeric) IS NOT NULL
                   THEN coalesce(CAST(:counted_at AS timestamptz), clock_timestamp()) END AS counted_at
        FROM level l WHERE (l.product_id, l.warehouse_id, l.lot) = (:product_id, :warehouse_id, :lot)
    ) n
    WHERE c.count_id = :count_id AND c.product_id = :product_id AND c.lot = :lot
""")
# Goods that moved since the count: neither corrections (adjustments, by other counts for example) nor movements that
# were reversed.
_CURRENT_LEVELS = text("""
    SELECT c.id, coalesce(l.on_hand, 0) AS on_hand, coalesce(l.version, 0) AS version,
           coalesce((SELECT sum(m.quantity) FROM movement m
                     WHERE (m.product_id, m.warehouse_id, m.lot) = (c.product_id, :warehouse_id, c.lot)
                       AND m.occurred_at > c.counted_at AND m.movement_type <> 'adjustment'
                       AND NOT EXISTS (SELECT FROM movement r WHERE r.reverses_id = m.id)
                       AND NOT EXISTS (SELECT FROM movement o WHERE o.id = m.reverses_id
                                       AND o.occurred_at > c.counted_at)), 0) AS moved
    FROM stock_count_line c
    LEFT JOIN level l ON (l.product_id, l.warehouse_id, l.lot) = (c.product_id, :warehouse_id, c.lot)
    WHERE c.count_id = :count_id AND c.counted IS NOT NULL
""")


class CurrentLevel(NamedTuple):
    """The level of a counted line: its quantity and version, and the quantity of goods that `moved` since the count."""

    on_hand: Decimal
    version: int
    moved: Decimal


@dataclass(frozen=True, slots=True)
class CountedLine:
    """The counted quantity of a product and lot; `counted_at` None: now."""

    product_id: int
    lot: int
    counted: Decimal | None
    counted_at: datetime | None


async def snapshot_levels(
    session: AsyncSession,
    count: Count,
    *,
    product_ids: Sequence[int] | None,
    category: str | None,
    owner_id: int | None,
) -> None:
    """Add a line for every level of the warehouse that matches all filters; None matches everything."""
    ids = None if product_ids is None else list(product_ids)
    filters = {"product_ids": ids, "category": category, "owner_id": owner_id}
    await session.execute(_SNAPSHOT_LEVELS, {"count_id": count.id, "warehouse_id": count.warehouse_id} | filters)


async def snapshot_products(session: AsyncSession, count: Count, keys: Sequence[tuple[int, int]]) -> None:
    """Add lines for these products and lots, with expected quantity 0 where there is no level."""
    await session.execute(
        _SNAPSHOT_PRODUCTS,
        {
            "count_id": count.id,
            "warehouse_id": count.warehouse_id,
            "product_ids": [product_id for product_id, _ in keys],
            "lots": [lot for _, lot in keys],
        },
    )


async def enter_counted(session: AsyncSession, count: Count, lines: Sequence[CountedLine], actor_id: int) -> None:
    await session.execute(
        _ENTER_COUNTED,
        [
            {
                "count_id": count.id,
                "warehouse_id": count.warehouse_id,
                "product_id": line.product_id,
                "lot": line.lot,
                "counted": line.counted,
                "counted_at": line.counted_at,
                "counted_by": None if line.counted is None else actor_id,
            }
            for line in lines
        ],
    )


async def fetch_current_levels(session: AsyncSession, count_id: int, warehouse_id: int) -> dict[int, CurrentLevel]:
    """The levels of the counted lines, by the id of the line."""
    rows = await session.execute(_CURRENT_LEVELS, {"count_id": count_id, "warehouse_id": warehouse_id})
    return {line_id: CurrentLevel(*level) for line_id, *level in rows}
