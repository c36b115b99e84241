"""What is read of levels."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Numeric, Row, Select, case, column, func, null, or_, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.pagination import PageQuery
from stockbuddy.stock.documents.purchase_orders.model import PurchaseOrderLine
from stockbuddy.stock.documents.reservations.queries import overdue_quantity
from stockbuddy.stock.documents.transfers.model import Transfer, TransferLine
from stockbuddy.stock.insights.history.queries import levels_at
from stockbuddy.stock.inventory.levels.model import Level
from stockbuddy.stock.inventory.levels.schemas import LevelView
from stockbuddy.stock.inventory.warehouses.model import Warehouse
from stockbuddy.stock.listing import Listed, Sort, fetch_listed
from stockbuddy.stock.replicas.products.model import Product

BY_PRODUCT = Sort("product_asc", (Level.product_id, Level.warehouse_id, Level.lot))

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
# What is ordered comes without a lot.
_due = case((Level.lot == 0, func.coalesce(_ordered, Decimal(0))), else_=Decimal(0))
INCOMING = _due + func.coalesce(_in_transit, Decimal(0))
_overdue = overdue_quantity(Level.product_id, Level.warehouse_id, Level.lot)
# An expired hold no longer counts, though it still lies on the level for a moment.
RESERVED = case((Level.reserved > 0, Level.reserved - _overdue), else_=Level.reserved)


@dataclass(frozen=True, slots=True)
class LevelFilter:
    """Every field narrows the list."""

    product_id: int | None = None
    sku: str | None = None
    warehouse_id: int | None = None
    lot: int | None = None
    category: str | None = None
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    low_stock: bool | None = None

    def conditions(self, level: Any = Level) -> list[ColumnElement[bool]]:
        """On the levels as they are, or on the columns of what they were."""
        conditions: list[ColumnElement[bool]] = []
        chosen = [(level.product_id, self.product_id), (level.warehouse_id, self.warehouse_id), (level.lot, self.lot)]
        conditions += [column == value for column, value in chosen if value is not None]
        if self.sku is not None:
            conditions.append(func.lower(Product.sku) == func.lower(self.sku))
        if self.category is not None:
            conditions.append(func.lower(Product.category) == func.lower(self.category))
        if self.price_min is not None:
            conditions.append(Product.unit_price >= self.price_min)
        if self.price_max is not None:
            conditions.append(Product.unit_price <= self.price_max)
        if self.low_stock is not None:
            is_low = level.on_hand <= THRESHOLD
            conditions.append(is_low if self.low_stock else ~is_low)
        return conditions


def _levels() -> Select[*tuple[Any, ...]]:
    """Levels that anything ever happened to or is to come to, of products that are still traded."""
    return (
        select(
            Level.product_id,
            Product.sku,
            Product.name,
            Product.category,
            Level.warehouse_id,
            Warehouse.code.label("warehouse_code"),
            Level.lot,
            Level.on_hand,
            RESERVED.label("reserved"),
            (Level.on_hand - RESERVED).label("available"),
            INCOMING.label("incoming"),
            THRESHOLD.label("low_stock_threshold"),
            Level.average_cost,
            Level.updated_at,
        )
        .join(Product, Product.id == Level.product_id)
        .join(Warehouse, Warehouse.id == Level.warehouse_id)
        .where(or_(Level.version > 0, INCOMING > 0), ~Product.deleted)
    )


async def list_levels(session: AsyncSession, chosen: LevelFilter, paging: PageQuery) -> Listed:
    return await fetch_listed(session, _levels().where(*chosen.conditions()), BY_PRODUCT, paging)


async def list_levels_at(session: AsyncSession, moment: datetime, chosen: LevelFilter, paging: PageQuery) -> Listed:
    """As they were at `moment`, inclusive; what was reserved or on its way then is not on record."""
    then = levels_at(moment).c
    query = (
        select(
            then.product_id,
            Product.sku,
            Product.name,
            Product.category,
            then.warehouse_id,
            Warehouse.code.label("warehouse_code"),
            then.lot,
            then.on_hand,
            null().label("reserved"),
            null().label("available"),
            null().label("incoming"),
            THRESHOLD.label("low_stock_threshold"),
            then.average_cost,
            then.updated_at,
        )
        .join(Product, Product.id == then.product_id)
        .join(Warehouse, Warehouse.id == then.warehouse_id)
        .where(*chosen.conditions(then))
    )
    by_product = Sort("product_asc", (then.product_id, then.warehouse_id, then.lot))
    return await fetch_listed(session, query, by_product, paging)


def as_view(row: Row[Any]) -> LevelView:
    return LevelView.model_construct(**row._mapping)
