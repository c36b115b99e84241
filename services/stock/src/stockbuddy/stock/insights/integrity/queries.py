"""Finds levels that differ from the movements and documents they are computed from."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.stock.insights.integrity.fifo_queries import check_fifo
from stockbuddy.stock.insights.integrity.schemas import Difference, IntegrityResponse, ValueDifference
from stockbuddy.stock.insights.snapshots import one_snapshot

# A million movements are sorted by level: in memory and by several processes, a third of the time on disk by one.
_SORT_IN_MEMORY = text("""
    SELECT set_config('work_mem', '96MB', true), set_config('max_parallel_workers_per_gather', '4', true),
           set_config('parallel_setup_cost', '0', true), set_config('parallel_tuple_cost', '0', true)
""")
_CHAIN = """
    SELECT product_id, warehouse_id, lot, version, quantity, value, before,
           lag(balance, 1, 0) OVER (PARTITION BY product_id, warehouse_id, lot ORDER BY version) AS carried
    FROM movement
"""
_LEVELS = text(f"""
    SELECT l.product_id, l.warehouse_id, l.lot, l.on_hand, l.value, coalesce(m.on_hand, 0) AS expected_on_hand,
           coalesce(m.value, 0) AS expected_value, coalesce(m.has_gap, false) AS has_gap
    FROM level l LEFT JOIN (
        SELECT product_id, warehouse_id, lot, sum(quantity) AS on_hand, sum(value) AS value,
               bool_or(before <> carried) AS has_gap
        FROM ({_CHAIN}) chain GROUP BY product_id, warehouse_id, lot
    ) m USING (product_id, warehouse_id, lot)
    WHERE l.on_hand <> coalesce(m.on_hand, 0) OR l.value <> coalesce(m.value, 0) OR m.has_gap
        OR (l.on_hand = 0 AND l.value <> 0)
    ORDER BY l.product_id, l.warehouse_id, l.lot LIMIT 1000
""")
_GAPS = text(f"""
    SELECT 'balance' AS what, product_id, warehouse_id, lot, carried AS expected, before AS found
    FROM ({_CHAIN} WHERE product_id = ANY(:product_ids)) chain
    WHERE before <> carried ORDER BY product_id, warehouse_id, lot, version LIMIT 1000
""")
_RESERVED = text("""
    WITH promised AS (
        SELECT product_id, warehouse_id, lot, sum(quantity) AS total FROM (
            SELECT l.product_id, l.warehouse_id, l.lot, l.quantity
            FROM reservation_line l JOIN reservation r ON r.id = l.reservation_id WHERE r.status = 'held'
            UNION ALL
            SELECT l.product_id, t.from_warehouse_id, l.lot, l.quantity
            FROM stock_transfer_line l JOIN stock_transfer t ON t.id = l.transfer_id WHERE t.status = 'pending'
        ) reserving_lines GROUP BY product_id, warehouse_id, lot
    )
    SELECT 'reserved' AS what, product_id, warehouse_id, lot, coalesce(h.total, 0) AS expected,
           coalesce(l.reserved, 0) AS found
    FROM (SELECT * FROM level WHERE reserved <> 0) l FULL JOIN promised h USING (product_id, warehouse_id, lot)
    WHERE coalesce(l.reserved, 0) <> coalesce(h.total, 0)
    ORDER BY product_id, warehouse_id, lot LIMIT 1000
""")
# What left with transfers less what arrived. Movements of transfers are found by the index of linked movements.
_IN_TRANSIT = text("""
    WITH moved AS (
        SELECT product_id, sum(correction - value) AS value FROM movement
        WHERE movement_type IN ('transfer_in', 'transfer_out') AND document LIKE 'stock_transfer/%' GROUP BY product_id
    ), lines AS (
        SELECT product_id, sum(value_in_transit) AS value FROM stock_transfer_line GROUP BY product_id
    )
    SELECT 'in_transit' AS what, product_id, NULL AS warehouse_id, NULL AS lot, coalesce(m.value, 0) AS expected,
           coalesce(l.value, 0) AS found
    FROM moved m FULL JOIN lines l USING (product_id)
    WHERE coalesce(m.value, 0) <> coalesce(l.value, 0) ORDER BY product_id LIMIT 1000
""")


_RECEIPTS = text("""
    SELECT 'receipts' AS what, m.product_id, NULL AS warehouse_id, NULL AS lot,
           sum(r.quantity * r.unit_cost) AS expected, sum(m.value - m.correction) AS found
    FROM purchase_receipt_line r JOIN movement m ON m.id = r.movement_id
    GROUP BY m.product_id
    HAVING bool_or(m.quantity <> r.quantity OR m.value - m.correction <> r.quantity * r.unit_cost)
    ORDER BY m.product_id LIMIT 1000
""")


async def check_integrity(session: AsyncSession, *, by_fifo: bool) -> IntegrityResponse:
    """Up to 1000 differences of each kind. `by_fifo`: also replay the whole ledger."""
    async with one_snapshot(session):
        await session.execute(_SORT_IN_MEMORY)
        levels = (await session.execute(_LEVELS)).all()
        gaps = [level.product_id for level in levels if level.has_gap]
        chain = (await session.execute(_GAPS, {"product_ids": gaps})).all() if gaps else []
        reserved = (await session.execute(_RESERVED)).all()
        products = [*(await session.execute(_IN_TRANSIT)).all(), *(await session.execute(_RECEIPTS)).all()]
    differences = [*map(Difference.model_validate, chain), *_quantity_differences(levels)]
    differences += map(Difference.model_validate, reserved)
    values = [*_value_differences(levels), *map(ValueDifference.model_validate, products)]
    if by_fifo:
        fifo = await check_fifo(session)
        differences += fifo.quantities[:1000]
        values += fifo.values[:1000]
    return IntegrityResponse(ok=not differences and not values, differences=differences, value_differences=values)


def _quantity_differences(levels: Sequence[Row[Any]]) -> list[Difference]:
    return [
        Difference(
            what="on_hand",
            product_id=level.product_id,
            warehouse_id=level.warehouse_id,
            lot=level.lot,
            expected=level.expected_on_hand,
            found=level.on_hand,
        )
        for level in levels
        if level.on_hand != level.expected_on_hand
    ]


def _value_differences(levels: Sequence[Row[Any]]) -> list[ValueDifference]:
    """Also of levels without stock that are worth something."""
    return [
        ValueDifference(
            what="value",
            product_id=level.product_id,
            warehouse_id=level.warehouse_id,
            lot=level.lot,
            expected=level.expected_value if level.on_hand else 0,
            found=level.value,
        )
        for level in levels
        if level.value != level.expected_value or (level.on_hand == 0 and level.value != 0)
    ]
