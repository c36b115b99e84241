"""Reads of levels: their quantities, what is incoming, and past quantities."""

from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Numeric,
    Row,
    Select,
    TextClause,
    and_,
    case,
    column,
    func,
    null,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.pagination import PageSlice, SortOrder, fetch_row_page
from stockbuddy.stock.calendar_days import last_moment_of
from stockbuddy.stock.documents.purchase_orders.model import PurchaseOrderLine
from stockbuddy.stock.documents.reservations.queries import expired_quantity
from stockbuddy.stock.documents.transfers.model import Transfer, TransferLine
from stockbuddy.stock.insights.history.queries import levels_at
from stockbuddy.stock.insights.levels.schemas import LevelFilter, LevelResponse
from stockbuddy.stock.inventory.levels.model import Level
from stockbuddy.stock.inventory.warehouses.model import Warehouse
from stockbuddy.stock.periods import load_company_zone
from stockbuddy.stock.replicas.categories import is_in_category_sql
from stockbuddy.stock.replicas.products.model import Product

_setting = table("setting", column("default_low_stock_threshold", Numeric(18, 3)))
_default_threshold = select(_setting.c.default_low_stock_threshold).scalar_subquery()
THRESHOLD = func.coalesce(Product.low_stock_threshold, _default_threshold)
_ordered = (
    select(func.sum(PurchaseOrderLine.outstanding))
    .where(
        PurchaseOrderLine.product_id == Level.product_id,
        PurchaseOrderLine.warehouse_id == Level.warehouse_id,
        PurchaseOrderLine.outstanding > 0,
    )
    .scalar_subquery()
)
_in_transit = (
    select(func.sum(TransferLine.in_transit))
    .join(Transfer, Transfer.id == TransferLine.transfer_id)
    .where(
        TransferLine.product_id == Level.product_id,
        TransferLine.lot == Level.lot,
        TransferLine.in_transit > 0,
        Transfer.to_warehouse_id == Level.warehouse_id,
    )
    .scalar_subquery()
)
# Purchase orders have no lots: their quantities are incoming at lot 0.
_outstanding = case((Level.lot == 0, func.coalesce(_ordered, Decimal(0))), else_=Decimal(0))
INCOMING = _outstanding + func.coalesce(_in_transit, Decimal(0))
# An expired reservation no longer counts, although it is part of `reserved` until it is released.
_expired = expired_quantity(Level.product_id, Level.warehouse_id, Level.lot)
RESERVED = case((Level.reserved > 0, Level.reserved - _expired), else_=Level.reserved)


# The last known one if nothing is on hand.
AVERAGE_COST = case(
    (and_(Level.on_hand > 0, Level.last_cost.is_not(None)), Level.value / func.nullif(Level.on_hand, 0)),
    else_=Level.last_cost,
)


def _conditions(filters: LevelFilter, level: Any) -> list[ColumnElement[bool] | TextClause]:
    """`level`: the columns of current or past levels."""
    equalities = (
        (level.product_id, filters.product_id),
        (level.warehouse_id, filters.warehouse_id),
        (level.lot, filters.lot),
    )
    conditions: list[ColumnElement[bool] | TextClause] = [
        column == value for column, value in equalities if value is not None
    ]
    if filters.sku is not None:
        conditions.append(func.lower(Product.sku) == func.lower(filters.sku))
    if filters.category is not None:
        in_category = is_in_category_sql(":category", Product.__tablename__)
        conditions.append(text(in_category).bindparams(category=filters.category))
    if filters.price_min is not None:
        conditions.append(Product.unit_price >= filters.price_min)
    if filters.price_max is not None:
        conditions.append(Product.unit_price <= filters.price_max)
    if filters.low_stock is not None:
        is_low = level.on_hand <= THRESHOLD
        conditions.append(is_low if filters.low_stock else ~is_low)
    return conditions


def _select_levels(level: Any, average_cost: Any, reserved: Any, available: Any, incoming: Any) -> Select[Any]:
    return (
        select(
            level.product_id,
            Product.sku,
            Product.name,
            Product.category,
            level.warehouse_id,
            Warehouse.code.label("warehouse_code"),
            level.lot,
            level.on_hand,
            reserved.label("reserved"),
            available.label("available"),
            incoming.label("incoming"),
            THRESHOLD.label("low_stock_threshold"),
            level.value,
            func.round(average_cost, 4).label("average_cost"),
            level.updated_at,
        )
        .join(Product, Product.id == level.product_id)
        .join(Warehouse, Warehouse.id == level.warehouse_id)
    )


async def list_levels(session: AsyncSession, filters: LevelFilter) -> PageSlice[Row[Any]]:
    """Current levels of active products that have movements or incoming stock; levels at `as_of` of all products."""
    level: Any = Level
    if filters.as_of is None:
        query = _select_levels(level, AVERAGE_COST, RESERVED, Level.on_hand - RESERVED, INCOMING)
        query = query.where(or_(Level.version > 0, INCOMING > 0), ~Product.deleted)
    else:
        level = levels_at(last_moment_of(filters.as_of, await load_company_zone(session))).c
        average_cost = case((level.is_cost_known, level.value / func.nullif(level.on_hand, 0)))
        query = _select_levels(level, average_cost, null(), null(), null())
    by_product = SortOrder("product_asc", (level.product_id, level.warehouse_id, level.lot))
    return await fetch_row_page(session, query.where(*_conditions(filters, level)), by_product, filters)


def to_response(row: Row[Any]) -> LevelResponse:
    return LevelResponse.model_construct(**row._mapping)
