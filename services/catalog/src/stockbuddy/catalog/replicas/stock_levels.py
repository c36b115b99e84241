"""Replica of the stock levels, and each product's totals over them. A level may arrive before its product or warehouse.

Set-based: one statement per step for a whole batch of events.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.contracts.numbers import quantity_number
from stockbuddy.contracts.stock import LevelChanged

_INSERT_MISSING_TOTALS = text("""
    INSERT INTO product_stock (product_id) SELECT unnest(CAST(:product_ids AS bigint[])) ON CONFLICT DO NOTHING
""")
# Locked before the levels and in one order: of two transactions with levels of one product, the second waits here and
# then sums up what the first has written; without the lock it would not see those levels.
_LOCK_TOTALS = text("""
    SELECT product_id FROM product_stock WHERE product_id = ANY(CAST(:product_ids AS bigint[]))
    ORDER BY product_id FOR UPDATE
""")
_HAS_LEVELS = text("SELECT EXISTS (SELECT FROM stock_level WHERE product_id = :product_id)")
_UPSERT_LEVELS = text("""
    INSERT INTO stock_level AS l (product_id, warehouse_id, lot, version, on_hand, reserved)
    SELECT * FROM unnest(CAST(:product_ids AS bigint[]), CAST(:warehouse_ids AS bigint[]), CAST(:lots AS bigint[]),
        CAST(:versions AS bigint[]), CAST(:on_hand AS numeric[]), CAST(:reserved AS numeric[]))
    ON CONFLICT (product_id, warehouse_id, lot) DO UPDATE
        SET version = excluded.version, on_hand = excluded.on_hand, reserved = excluded.reserved
        WHERE l.version < excluded.version
    RETURNING product_id
""")
_UPDATE_TOTALS = text("""
    UPDATE product_stock s SET on_hand = t.on_hand, reserved = t.reserved
    FROM (SELECT product_id, sum(on_hand) AS on_hand, sum(reserved) AS reserved FROM stock_level
          WHERE product_id = ANY(CAST(:product_ids AS bigint[])) GROUP BY product_id) t
    WHERE s.product_id = t.product_id AND (s.on_hand, s.reserved) IS DISTINCT FROM (t.on_hand, t.reserved)
""")
_COUNT_STOCK_CHANGE = text("SELECT count_changes(0, 0, 1)")
_STOCK_BY_WAREHOUSE = text("""
    SELECT l.warehouse_id, w.name AS warehouse, sum(l.on_hand) AS on_hand, sum(l.reserved) AS reserved
    FROM stock_level l LEFT JOIN warehouse w ON w.id = l.warehouse_id
    WHERE l.product_id = :product_id AND (l.on_hand <> 0 OR l.reserved <> 0)
    GROUP BY l.warehouse_id, w.name ORDER BY l.warehouse_id
""")


async def find_stock(session: AsyncSession, product_id: int) -> list[dict[str, Any]]:
    """The warehouses with stock of the product, on hand or reserved: `warehouse_id`, its name, and the quantities."""
    rows = await session.execute(_STOCK_BY_WAREHOUSE, {"product_id": product_id})
    return [
        {
            "warehouse_id": row.warehouse_id,
            "warehouse": row.warehouse,
            "on_hand": quantity_number(row.on_hand),
            "reserved": quantity_number(row.reserved),
        }
        for row in rows
    ]


async def has_levels(session: AsyncSession, product_id: int) -> bool:
    """True if stock has published a level of the product, such as that of its opening stock."""
    return bool(await session.scalar(_HAS_LEVELS, {"product_id": product_id}))


async def replicate_levels(session: AsyncSession, events: Sequence[LevelChanged]) -> None:
    newest: dict[tuple[int, int, int], LevelChanged] = {}
    for event in events:
        key = (event.product_id, event.warehouse_id, event.lot)
        if key not in newest or newest[key].version < event.version:
            newest[key] = event
    levels = [newest[key] for key in sorted(newest)]
    product_ids = sorted({level.product_id for level in levels})
    await session.execute(_INSERT_MISSING_TOTALS, {"product_ids": product_ids})
    await session.execute(_LOCK_TOTALS, {"product_ids": product_ids})
    values = {
        "product_ids": [level.product_id for level in levels],
        "warehouse_ids": [level.warehouse_id for level in levels],
        "lots": [level.lot for level in levels],
        "versions": [level.version for level in levels],
        "on_hand": [level.on_hand for level in levels],
        "reserved": [level.reserved for level in levels],
    }
    if changed_ids := sorted(set(await session.scalars(_UPSERT_LEVELS, values))):
        await session.execute(_UPDATE_TOTALS, {"product_ids": changed_ids})
        await session.execute(_COUNT_STOCK_CHANGE)
