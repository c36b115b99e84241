"""What is read of sales."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.pagination import PageQuery
from stockbuddy.contracts import stock as contract
from stockbuddy.stock.documents.customers.model import Customer
from stockbuddy.stock.documents.sales.model import Sale, SaleLine, SaleReturn, SaleReturnLine
from stockbuddy.stock.documents.sales.schemas import SaleReturnResponse, SaleResponse
from stockbuddy.stock.listing import Listed, Sort, fetch_listed

LATEST_FIRST = Sort("occurred_desc", (Sale.occurred_at, Sale.id), descending=True)
EARLIEST_FIRST = Sort("occurred_asc", (Sale.occurred_at, Sale.id))
LARGEST_FIRST = Sort("total_desc", (Sale.total, Sale.id), descending=True)
SMALLEST_FIRST = Sort("total_asc", (Sale.total, Sale.id))
SORTS = {sort.name: sort for sort in (LATEST_FIRST, EARLIEST_FIRST, LARGEST_FIRST, SMALLEST_FIRST)}


@dataclass(frozen=True, slots=True)
class SaleFilter:
    """Every field narrows the list; `since` and `until` are half-open and go by `occurred_at`."""

    customer_id: int | None = None
    product_id: int | None = None
    sold_by: int | None = None
    warehouse_id: int | None = None
    status: str | None = None
    search: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        chosen = [
            (Sale.customer_id, self.customer_id),
            (Sale.sold_by, self.sold_by),
            (Sale.warehouse_id, self.warehouse_id),
            (Sale.status, self.status),
        ]
        conditions: list[ColumnElement[bool]] = [column == value for column, value in chosen if value is not None]
        if self.product_id is not None:
            conditions.append(exists().where(SaleLine.sale_id == Sale.id, SaleLine.product_id == self.product_id))
        if self.search:
            conditions.append(_found_by(self.search))
        if self.since is not None:
            conditions.append(Sale.occurred_at >= self.since)
        if self.until is not None:
            conditions.append(Sale.occurred_at < self.until)
        return conditions


def _found_by(words: str) -> ColumnElement[bool]:
    """Number, reference, customer, SKU or name of something sold."""
    named = select(Customer.id).where(Customer.name.icontains(words, autoescape=True))
    sold = exists().where(
        SaleLine.sale_id == Sale.id,
        or_(SaleLine.sku.icontains(words, autoescape=True), SaleLine.name.icontains(words, autoescape=True)),
    )
    return or_(
        func.lower(Sale.number) == func.lower(words),
        Sale.reference.icontains(words, autoescape=True),
        Sale.customer_id.in_(named),
        sold,
    )


async def list_sales(
    session: AsyncSession, chosen: SaleFilter, sort: Sort, paging: PageQuery
) -> tuple[Listed, list[SaleResponse]]:
    """The page, and its sales with their lines."""
    listed = await fetch_listed(session, select(Sale).where(*chosen.conditions()), sort, paging)
    return listed, await _with_lines(session, listed.rows)


async def find_sale(session: AsyncSession, sale_id: int) -> SaleResponse | None:
    sale = await session.get(Sale, sale_id)
    return None if sale is None else (await _with_lines(session, [sale]))[0]


async def _with_lines(session: AsyncSession, sales: Sequence[Sale]) -> list[SaleResponse]:
    lines: dict[int, list[contract.SaleLine]] = {sale.id: [] for sale in sales}
    query = select(SaleLine).where(SaleLine.sale_id.in_(lines)).order_by(SaleLine.sale_id, SaleLine.position)
    for line in await session.scalars(query):
        lines[line.sale_id].append(_line(line))
    return [_view(sale, lines[sale.id]) for sale in sales]


def _line(line: SaleLine) -> contract.SaleLine:
    values = {name: getattr(line, name) for name in contract.SaleLine.model_fields}
    return contract.SaleLine.model_construct(**values)


def _view(sale: Sale, lines: list[contract.SaleLine]) -> SaleResponse:
    values = {name: getattr(sale, name) for name in SaleResponse.model_fields if name != "lines"}
    return SaleResponse.model_construct(**values, lines=lines)


async def list_returns(session: AsyncSession, sale_id: int) -> list[SaleReturnResponse]:
    """The returns of a sale, in the order in which they were made."""
    returns = (
        await session.scalars(select(SaleReturn).where(SaleReturn.sale_id == sale_id).order_by(SaleReturn.id))
    ).all()
    query = (
        select(SaleReturnLine, SaleLine.product_id, SaleLine.sku)
        .join(SaleLine, SaleLine.id == SaleReturnLine.sale_line_id)
        .where(SaleReturnLine.return_id.in_([made.id for made in returns]))
        .order_by(SaleReturnLine.id)
    )
    lines: dict[int, list[contract.ReturnedLine]] = {made.id: [] for made in returns}
    for line, product_id, sku in await session.execute(query):
        lines[line.return_id].append(
            contract.ReturnedLine(
                id=line.id,
                line_id=line.sale_line_id,
                product_id=product_id,
                sku=sku,
                quantity=line.quantity,
                amount=line.amount,
                movement_id=line.movement_id,
            )
        )
    return [
        SaleReturnResponse(
            id=made.id,
            sale_id=made.sale_id,
            restock=made.restock,
            reason=made.reason,
            total=made.total,
            performed_by=made.performed_by,
            occurred_at=made.occurred_at,
            recorded_at=made.recorded_at,
            lines=lines[made.id],
        )
        for made in returns
    ]
