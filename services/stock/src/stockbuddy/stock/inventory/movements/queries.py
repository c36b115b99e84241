"""Reads of movements."""

from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.pagination import PageSlice, SortOrder, fetch_row_page, sort_orders
from stockbuddy.stock.inventory.movements.model import Movement
from stockbuddy.stock.inventory.movements.schemas import MovementFilter, MovementResponse
from stockbuddy.stock.periods import moment_conditions
from stockbuddy.stock.replicas.products.model import Product

SORT_ORDERS = sort_orders(
    SortOrder("recorded_desc", (Movement.id,), descending=True),
    SortOrder("recorded_asc", (Movement.id,)),
    SortOrder("occurred_desc", (Movement.occurred_at, Movement.id), descending=True),
    SortOrder("occurred_asc", (Movement.occurred_at, Movement.id)),
)


def _conditions(filters: MovementFilter) -> list[ColumnElement[bool]]:
    equalities = (
        (Movement.product_id, filters.product_id),
        (Movement.warehouse_id, filters.warehouse_id),
        (Movement.movement_type, filters.movement_type),
        (Movement.reference_number, filters.reference_number),
        (Movement.document, filters.document),
        (Movement.performed_by, filters.performed_by),
    )
    conditions: list[ColumnElement[bool]] = [column == value for column, value in equalities if value is not None]
    if filters.sku is not None:
        products = select(Product.id).where(func.lower(Product.sku) == func.lower(filters.sku))
        conditions.append(Movement.product_id.in_(products))
    return conditions


def _select_movements() -> Select[Any]:
    columns = [column for column in Movement.__table__.columns if column.key not in ("version", "cost_stated")]
    return select(*columns, Product.sku).join(Product, Product.id == Movement.product_id)


async def list_movements(session: AsyncSession, filters: MovementFilter) -> PageSlice[Row[Any]]:
    conditions = _conditions(filters) + await moment_conditions(session, Movement.occurred_at, filters)
    # Counted without the join, which neither adds nor removes rows.
    total = await session.scalar(select(func.count()).select_from(Movement).where(*conditions))
    query = _select_movements().where(*conditions)
    return await fetch_row_page(session, query, SORT_ORDERS[filters.sort_by], filters, total=total or 0)


async def fetch_latest_movements(session: AsyncSession, limit: int) -> list[MovementResponse]:
    rows = await session.execute(_select_movements().order_by(Movement.id.desc()).limit(limit))
    return [to_response(row) for row in rows]


async def get_movement(session: AsyncSession, movement_id: int) -> MovementResponse:
    """Raises NotFound."""
    row = (await session.execute(_select_movements().where(Movement.id == movement_id))).one_or_none()
    if row is None:
        raise NotFound()
    return to_response(row)


def to_response(row: Row[Any]) -> MovementResponse:
    return MovementResponse.model_construct(**row._mapping)
