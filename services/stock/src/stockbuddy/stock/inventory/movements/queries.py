"""What is read of the ledger's lines."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.pagination import PageQuery
from stockbuddy.stock.inventory.movements.model import Movement
from stockbuddy.stock.inventory.movements.schemas import MovementResponse
from stockbuddy.stock.ledger import MovementType
from stockbuddy.stock.listing import Listed, Sort, fetch_listed
from stockbuddy.stock.replicas.products.model import Product

NEWEST_FIRST = Sort("recorded_desc", (Movement.id,), descending=True)
OLDEST_FIRST = Sort("recorded_asc", (Movement.id,))
LATEST_FIRST = Sort("occurred_desc", (Movement.occurred_at, Movement.id), descending=True)
EARLIEST_FIRST = Sort("occurred_asc", (Movement.occurred_at, Movement.id))
SORTS = {sort.name: sort for sort in (NEWEST_FIRST, OLDEST_FIRST, LATEST_FIRST, EARLIEST_FIRST)}


@dataclass(frozen=True, slots=True)
class MovementFilter:
    """Every field narrows the list; `since` and `until` are half-open and go by `occurred_at`."""

    product_id: int | None = None
    sku: str | None = None
    warehouse_id: int | None = None
    movement_type: MovementType | None = None
    reference_number: str | None = None
    document: str | None = None
    performed_by: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        chosen = [
            (Movement.product_id, self.product_id),
            (Movement.warehouse_id, self.warehouse_id),
            (Movement.movement_type, self.movement_type),
            (Movement.reference_number, self.reference_number),
            (Movement.document, self.document),
            (Movement.performed_by, self.performed_by),
        ]
        conditions: list[ColumnElement[bool]] = [column == value for column, value in chosen if value is not None]
        if self.sku is not None:
            named = select(Product.id).where(func.lower(Product.sku) == func.lower(self.sku))
            conditions.append(Movement.product_id.in_(named))
        if self.since is not None:
            conditions.append(Movement.occurred_at >= self.since)
        if self.until is not None:
            conditions.append(Movement.occurred_at < self.until)
        return conditions


def _lines() -> Select[Any]:
    columns = [column for column in Movement.__table__.columns if column.key != "version"]
    return select(*columns, Product.sku).join(Product, Product.id == Movement.product_id)


async def list_movements(session: AsyncSession, chosen: MovementFilter, sort: Sort, paging: PageQuery) -> Listed:
    conditions = chosen.conditions()
    total = await session.scalar(select(func.count()).select_from(Movement).where(*conditions))
    return await fetch_listed(session, _lines().where(*conditions), sort, paging, total=total or 0)


async def latest_movements(session: AsyncSession, count: int) -> list[MovementResponse]:
    rows = await session.execute(_lines().order_by(Movement.id.desc()).limit(count))
    return [as_view(row) for row in rows]


async def find_movement(session: AsyncSession, movement_id: int) -> MovementResponse | None:
    row = (await session.execute(_lines().where(Movement.id == movement_id))).one_or_none()
    return None if row is None else as_view(row)


def as_view(row: Row[Any]) -> MovementResponse:
    return MovementResponse.model_construct(**row._mapping)
