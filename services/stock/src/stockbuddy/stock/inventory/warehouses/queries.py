"""Reads of warehouses, and the locks for changing them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.pagination import PageSlice, SortOrder, fetch_page
from stockbuddy.chassis.postgres.text_search import contains_text
from stockbuddy.stock.errors import UnknownWarehouse
from stockbuddy.stock.inventory.warehouses.model import Warehouse
from stockbuddy.stock.inventory.warehouses.schemas import WarehouseFilter

BY_ID = SortOrder("id_asc", (Warehouse.id,))


async def get_active_warehouse(session: AsyncSession, warehouse_id: int, *, for_update: bool = False) -> Warehouse:
    """Raises UnknownWarehouse, also for a deleted warehouse."""
    query = select(Warehouse).where(Warehouse.id == warehouse_id, ~Warehouse.deleted)
    warehouse = await session.scalar(query.with_for_update() if for_update else query)
    if warehouse is None:
        raise UnknownWarehouse()
    return warehouse


async def lock_undeleted(session: AsyncSession, warehouse_id: int) -> None:
    """Keep the warehouse from being deleted until the end of the transaction. Raises UnknownWarehouse."""
    query = select(Warehouse.id).where(Warehouse.id == warehouse_id, ~Warehouse.deleted)
    if await session.scalar(query.with_for_update(read=True, key_share=True)) is None:
        raise UnknownWarehouse()


async def fetch_active_warehouses(session: AsyncSession) -> Sequence[Warehouse]:
    return (await session.scalars(select(Warehouse).where(~Warehouse.deleted))).all()


async def fetch_default_warehouse_id(session: AsyncSession) -> int:
    return (await session.execute(select(Warehouse.id).where(Warehouse.is_default))).scalar_one()


async def lock_default_warehouse(session: AsyncSession) -> Warehouse | None:
    """None before the first start has created it."""
    return await session.scalar(select(Warehouse).where(Warehouse.is_default).with_for_update())


async def list_warehouses(session: AsyncSession, filters: WarehouseFilter) -> PageSlice[Warehouse]:
    conditions: list[ColumnElement[bool]] = [~Warehouse.deleted]
    if filters.search:
        is_code = func.lower(Warehouse.code) == func.lower(filters.search)
        conditions.append(or_(contains_text(filters.search, Warehouse.name), is_code))
    if filters.kind:
        conditions.append(Warehouse.kind == filters.kind)
    return await fetch_page(session, select(Warehouse).where(*conditions), BY_ID, filters)


# In the order in which postings lock levels, so that the two cannot deadlock.
_LOCK_LEVELS = text("""
    SELECT on_hand <> 0 OR reserved <> 0 FROM level WHERE warehouse_id = :warehouse_id
    ORDER BY product_id, warehouse_id, lot FOR UPDATE
""")
_OPEN_DOCUMENTS = text("""
    SELECT 'stock_transfer' AS document, id, number FROM stock_transfer
    WHERE :warehouse_id IN (from_warehouse_id, to_warehouse_id) AND status IN ('pending', 'in_transit')
    UNION ALL
    SELECT 'purchase_order', id, number FROM purchase_order
    WHERE warehouse_id = :warehouse_id AND status IN ('draft', 'ordered', 'partially_received')
    UNION ALL
    SELECT 'stock_count', id, number FROM stock_count WHERE warehouse_id = :warehouse_id AND status = 'open'
    UNION ALL
    SELECT 'reservation', r.id, NULL FROM reservation r
    WHERE r.status = 'held' AND r.expires_at > clock_timestamp()
        AND EXISTS (SELECT FROM reservation_line l WHERE l.reservation_id = r.id AND l.warehouse_id = :warehouse_id)
    ORDER BY 1, 2 LIMIT 100
""")


async def lock_levels(session: AsyncSession, warehouse_id: int) -> bool:
    """Lock every level of the warehouse. Returns whether it contains stock."""
    return any(await session.scalars(_LOCK_LEVELS, {"warehouse_id": warehouse_id}))


async def fetch_open_documents(session: AsyncSession, warehouse_id: int) -> list[dict[str, Any]]:
    """`document` (the table), `id` and `number` of up to 100 documents that are not completed."""
    rows = await session.execute(_OPEN_DOCUMENTS, {"warehouse_id": warehouse_id})
    return [dict(row) for row in rows.mappings()]
