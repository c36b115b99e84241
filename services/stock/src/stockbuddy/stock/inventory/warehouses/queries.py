"""What is read of warehouses, and the locks that their changes take."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.pagination import PageQuery
from stockbuddy.stock.inventory.warehouses.model import Warehouse
from stockbuddy.stock.listing import Listed, Sort, fetch_listed

BY_ID = Sort("id_asc", (Warehouse.id,))


async def open_warehouse(session: AsyncSession, warehouse_id: int, *, for_update: bool = False) -> Warehouse | None:
    query = select(Warehouse).where(Warehouse.id == warehouse_id, ~Warehouse.deleted)
    return await session.scalar(query.with_for_update() if for_update else query)


async def open_warehouses(session: AsyncSession) -> Sequence[Warehouse]:
    return (await session.scalars(select(Warehouse).where(~Warehouse.deleted))).all()


async def default_warehouse_id(session: AsyncSession) -> int:
    return (await session.execute(select(Warehouse.id).where(Warehouse.is_default))).scalar_one()


async def lock_default(session: AsyncSession) -> Warehouse | None:
    return await session.scalar(select(Warehouse).where(Warehouse.is_default).with_for_update())


async def list_warehouses(session: AsyncSession, paging: PageQuery, *, search: str | None, kind: str | None) -> Listed:
    conditions: list[ColumnElement[bool]] = [~Warehouse.deleted]
    if search:
        is_code = func.lower(Warehouse.code) == func.lower(search)
        conditions.append(or_(Warehouse.name.icontains(search, autoescape=True), is_code))
    if kind:
        conditions.append(Warehouse.kind == kind)
    return await fetch_listed(session, select(Warehouse).where(*conditions), BY_ID, paging)


_LOCK_LEVELS = text("""
    SELECT on_hand <> 0 OR reserved <> 0 FROM level WHERE warehouse_id = :warehouse_id
    ORDER BY product_id, warehouse_id, lot FOR UPDATE
""")


_AWAITED = text("""
    SELECT EXISTS (SELECT FROM stock_transfer
                   WHERE to_warehouse_id = :warehouse_id AND status IN ('pending', 'in_transit'))
""")


async def lock_stock(session: AsyncSession, warehouse_id: int) -> bool:
    """Lock every level of the warehouse, as a posting would; true when one of them holds anything, or transfers are
    on their way to it."""
    parameters = {"warehouse_id": warehouse_id}
    holds_anything = any(await session.scalars(_LOCK_LEVELS, parameters))
    return holds_anything or bool(await session.scalar(_AWAITED, parameters))
