"""The read copy's writes: levels, and each product's totals over them. Set-based: a statement for a whole batch."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.contracts.stock import LevelState, WarehouseState

# The products' totals are locked first and in order: two consumers of one product's warehouses take turns,
# and the later one adds up what the earlier one wrote.
_ADD_TOTALS = text("""
    INSERT INTO product_stock (product_id) SELECT unnest(CAST(:product_ids AS bigint[])) ON CONFLICT DO NOTHING
""")
_LOCK_TOTALS = text("""
    SELECT product_id FROM product_stock WHERE product_id = ANY(CAST(:product_ids AS bigint[]))
    ORDER BY product_id FOR UPDATE
""")
_WRITE_LEVELS = text("""
    INSERT INTO stock_level AS l (product_id, warehouse_id, lot, version, on_hand, reserved)
    SELECT * FROM unnest(CAST(:product_ids AS bigint[]), CAST(:warehouse_ids AS bigint[]), CAST(:lots AS bigint[]),
        CAST(:versions AS bigint[]), CAST(:on_hand AS numeric[]), CAST(:reserved AS numeric[]))
    ON CONFLICT (product_id, warehouse_id, lot) DO UPDATE
        SET version = excluded.version, on_hand = excluded.on_hand, reserved = excluded.reserved
        WHERE l.version < excluded.version
    RETURNING product_id
""")
_ADD_UP = text("""
    UPDATE product_stock s SET on_hand = t.on_hand, reserved = t.reserved
    FROM (SELECT product_id, sum(on_hand) AS on_hand, sum(reserved) AS reserved FROM stock_level
          WHERE product_id = ANY(CAST(:product_ids AS bigint[])) GROUP BY product_id) t
    WHERE s.product_id = t.product_id AND (s.on_hand, s.reserved) IS DISTINCT FROM (t.on_hand, t.reserved)
""")
_COUNT_CHANGE = text("SELECT count_changes(0, 0, 1)")
_WRITE_WAREHOUSES = text("""
    INSERT INTO warehouse AS w (id, version, code, name, kind, is_default, deleted)
    SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:versions AS integer[]), CAST(:codes AS text[]),
        CAST(:names AS text[]), CAST(:kinds AS text[]), CAST(:defaults AS boolean[]), CAST(:deleted AS boolean[]))
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, code = excluded.code, name = excluded.name,
        kind = excluded.kind, is_default = excluded.is_default, deleted = excluded.deleted
        WHERE w.version < excluded.version
""")


async def write_levels(session: AsyncSession, levels: Sequence[LevelState]) -> None:
    """`levels` holds each level at most once."""
    ordered = sorted(levels, key=lambda level: (level.product_id, level.warehouse_id, level.lot))
    product_ids = sorted({level.product_id for level in ordered})
    await session.execute(_ADD_TOTALS, {"product_ids": product_ids})
    await session.execute(_LOCK_TOTALS, {"product_ids": product_ids})
    changed = await session.scalars(
        _WRITE_LEVELS,
        {
            "product_ids": [level.product_id for level in ordered],
            "warehouse_ids": [level.warehouse_id for level in ordered],
            "lots": [level.lot for level in ordered],
            "versions": [level.version for level in ordered],
            "on_hand": [level.on_hand for level in ordered],
            "reserved": [level.reserved for level in ordered],
        },
    )
    if changed_ids := sorted(set(changed)):
        await session.execute(_ADD_UP, {"product_ids": changed_ids})
        await session.execute(_COUNT_CHANGE)


async def write_warehouses(session: AsyncSession, warehouses: Sequence[WarehouseState]) -> None:
    """`warehouses` holds each warehouse at most once."""
    ordered = sorted(warehouses, key=lambda warehouse: warehouse.warehouse_id)
    await session.execute(
        _WRITE_WAREHOUSES,
        {
            "ids": [warehouse.warehouse_id for warehouse in ordered],
            "versions": [warehouse.version for warehouse in ordered],
            "codes": [warehouse.code for warehouse in ordered],
            "names": [warehouse.name for warehouse in ordered],
            "kinds": [warehouse.kind for warehouse in ordered],
            "defaults": [warehouse.is_default for warehouse in ordered],
            "deleted": [warehouse.deleted for warehouse in ordered],
        },
    )
