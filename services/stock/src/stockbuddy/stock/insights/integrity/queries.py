"""Finds levels that differ from the movements and documents they are computed from."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.stock.insights.integrity.schemas import Difference

# A single statement sees one snapshot, so a posting in progress cannot look like a difference.
_DIFFERENCES = text("""
    WITH ledger AS (
        SELECT product_id, warehouse_id, lot, sum(quantity) AS total FROM movement
        GROUP BY product_id, warehouse_id, lot
    ), promised AS (
        SELECT product_id, warehouse_id, lot, sum(quantity) AS total FROM (
            SELECT l.product_id, l.warehouse_id, l.lot, l.quantity
            FROM reservation_line l JOIN reservation r ON r.id = l.reservation_id WHERE r.status = 'held'
            UNION ALL
            SELECT l.product_id, t.from_warehouse_id, l.lot, l.quantity
            FROM stock_transfer_line l JOIN stock_transfer t ON t.id = l.transfer_id WHERE t.status = 'pending'
        ) reserving_lines GROUP BY product_id, warehouse_id, lot
    ), chain AS (
        SELECT product_id, warehouse_id, lot, before,
               lag(balance, 1, 0) OVER (PARTITION BY product_id, warehouse_id, lot ORDER BY version) AS carried
        FROM movement
    )
    SELECT 'on_hand' AS what, l.product_id, l.warehouse_id, l.lot, coalesce(m.total, 0) AS expected, l.on_hand AS found
    FROM level l LEFT JOIN ledger m USING (product_id, warehouse_id, lot)
    WHERE l.on_hand <> coalesce(m.total, 0)
    UNION ALL
    SELECT 'reserved', product_id, warehouse_id, lot, coalesce(h.total, 0), coalesce(l.reserved, 0)
    FROM level l FULL JOIN promised h USING (product_id, warehouse_id, lot)
    WHERE coalesce(l.reserved, 0) <> coalesce(h.total, 0)
    UNION ALL
    SELECT 'balance', product_id, warehouse_id, lot, carried, before FROM chain WHERE before <> carried
    ORDER BY 1, 2, 3, 4 LIMIT 1000
""")


async def fetch_differences(session: AsyncSession) -> list[Difference]:
    """Up to 1000 differences."""
    return [Difference.model_validate(row) for row in await session.execute(_DIFFERENCES)]
