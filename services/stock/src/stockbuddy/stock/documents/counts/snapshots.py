"""Snapshots of expected quantities, and the counted quantities compared with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.stock.documents.counts.model import Count

# One statement, so that all levels are read as of the same time.
_SNAPSHOT_LEVELS = text("""
    INSERT INTO stock_count_line (count_id, product_id, lot, expected, level_version)
    SELECT :count_id, l.product_id, l.lot, l.on_hand, l.version
    FROM level l JOIN product p ON p.id = l.product_id
    WHERE l.warehouse_id = :warehouse_id AND l.version > 0 AND NOT p.deleted
      AND (CAST(:product_ids AS bigint[]) IS NULL OR p.id = ANY(:product_ids))
      AND (CAST(:category AS text) IS NULL OR lower(p.category) = lower(:category))
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
# Expected: the balance at the snapshot's version, plus later movements that had occurred when it was counted.
_ENTER_COUNTED = text("""
    UPDATE stock_count_line c
    SET counted = :counted, counted_at = :counted_at, counted_by = :counted_by,
        expected = coalesce((SELECT m.balance FROM movement m
                             WHERE (m.product_id, m.warehouse_id, m.lot) = (c.product_id, :warehouse_id, c.lot)
                               AND m.version <= c.level_version ORDER BY m.version DESC LIMIT 1), 0)
                 + coalesce((SELECT sum(m.quantity) FROM movement m
                             WHERE (m.product_id, m.warehouse_id, m.lot) = (c.product_id, :warehouse_id, c.lot)
                               AND m.version > c.level_version
                               AND m.occurred_at <= CAST(:seen_until AS timestamptz)), 0)
    WHERE c.count_id = :count_id AND c.product_id = :product_id AND c.lot = :lot
""")


@dataclass(frozen=True, slots=True)
class CountedLine:
    """The counted quantity of a product and lot; `counted_at` None: the client did not say when."""

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


async def enter_counted(
    session: AsyncSession, count: Count, lines: Sequence[CountedLine], actor_id: int, now: datetime
) -> None:
    await session.execute(
        _ENTER_COUNTED,
        [
            {
                "count_id": count.id,
                "warehouse_id": count.warehouse_id,
                "product_id": line.product_id,
                "lot": line.lot,
                "counted": line.counted,
                "counted_at": None if line.counted is None else line.counted_at or now,
                "counted_by": None if line.counted is None else actor_id,
                "seen_until": line.counted_at,
            }
            for line in lines
        ],
    )
