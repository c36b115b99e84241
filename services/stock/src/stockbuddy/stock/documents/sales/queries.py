"""Reads of sales and returns."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.pagination import PageSlice, SortOrder, fetch_page, sort_orders
from stockbuddy.chassis.http.sessions import get_or_404
from stockbuddy.chassis.postgres.text_search import contains_text
from stockbuddy.contracts import stock as contract
from stockbuddy.stock.documents.customers.model import Customer
from stockbuddy.stock.documents.lines import with_lines
from stockbuddy.stock.documents.sales.model import Sale, SaleLine, SaleReturn, SaleReturnLine
from stockbuddy.stock.documents.sales.schemas import SaleFilter, SaleResponse, SaleReturnResponse
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.ledger import row_of
from stockbuddy.stock.periods import moment_conditions

SORT_ORDERS = sort_orders(
    SortOrder("occurred_desc", (Sale.occurred_at, Sale.id), descending=True),
    SortOrder("occurred_asc", (Sale.occurred_at, Sale.id)),
    SortOrder("total_desc", (Sale.total, Sale.id), descending=True),
    SortOrder("total_asc", (Sale.total, Sale.id)),
)


def _conditions(filters: SaleFilter, *, with_customers: bool) -> list[ColumnElement[bool]]:
    equalities = (
        (Sale.customer_id, filters.customer_id),
        (Sale.sold_by, filters.sold_by),
        (Sale.warehouse_id, filters.warehouse_id),
        (Sale.status, filters.status),
    )
    conditions: list[ColumnElement[bool]] = [column == value for column, value in equalities if value is not None]
    if filters.product_id is not None:
        conditions.append(exists().where(SaleLine.sale_id == Sale.id, SaleLine.product_id == filters.product_id))
    if filters.search:
        conditions.append(_matches(filters.search, with_customers=with_customers))
    return conditions


def _matches(search: str, *, with_customers: bool) -> ColumnElement[bool]:
    customers = select(Customer.id).where(contains_text(search, Customer.name))
    is_in_line = exists().where(SaleLine.sale_id == Sale.id, contains_text(search, SaleLine.sku, SaleLine.name))
    return or_(
        func.lower(Sale.number) == func.lower(search),
        contains_text(search, Sale.reference),
        *([Sale.customer_id.in_(customers)] if with_customers else []),
        is_in_line,
    )


async def list_sales(
    session: AsyncSession, filters: SaleFilter, *, with_customers: bool = True
) -> PageSlice[SaleResponse]:
    """`with_customers`: `search` also finds the names of customers."""
    conditions = _conditions(filters, with_customers=with_customers)
    query = select(Sale).where(*conditions, *await moment_conditions(session, Sale.occurred_at, filters))
    found = await fetch_page(session, query, SORT_ORDERS[filters.sort_by], filters)
    return PageSlice(await _to_responses(session, found.rows), found.total, found.next_cursor)


async def get_sale(session: AsyncSession, sale_id: int) -> SaleResponse:
    """Raises NotFound."""
    return (await _to_responses(session, [await get_or_404(session, Sale, sale_id)]))[0]


async def load_sale(context: PostingContext, sale_id: int) -> SaleResponse:
    """The sale, if the caller may change stock in its warehouse. Raises NotFound, WarehouseForbidden."""
    async with context.database.reading() as session:
        sale = await get_sale(session, sale_id)
    await context.warehouse(sale.warehouse_id)
    return sale


async def _to_responses(session: AsyncSession, sales: Sequence[Sale]) -> list[SaleResponse]:
    return await with_lines(session, sales, SaleLine.sale_id, SaleLine.position, contract.SaleLine, SaleResponse)


async def list_returns(session: AsyncSession, sale_id: int) -> list[SaleReturnResponse]:
    """The returns of a sale, in the order in which they were recorded."""
    query = select(SaleReturn).where(SaleReturn.sale_id == sale_id).order_by(SaleReturn.id)
    returns = (await session.scalars(query)).all()
    lines = await _returned_lines(session, [row.id for row in returns])
    names = [name for name in SaleReturnResponse.model_fields if name not in ("lines", "sale")]
    return [SaleReturnResponse(**row_of(row, *names), lines=lines[row.id]) for row in returns]


async def _returned_lines(session: AsyncSession, return_ids: Sequence[int]) -> dict[int, list[contract.ReturnedLine]]:
    query = (
        select(SaleReturnLine, SaleLine.product_id, SaleLine.sku)
        .join(SaleLine, SaleLine.id == SaleReturnLine.sale_line_id)
        .where(SaleReturnLine.return_id.in_(return_ids))
        .order_by(SaleReturnLine.id)
    )
    lines: dict[int, list[contract.ReturnedLine]] = {return_id: [] for return_id in return_ids}
    for line, product_id, sku in await session.execute(query):
        values = row_of(line, "id", "quantity", "amount", "cost", "movement_id")
        lines[line.return_id].append(
            contract.ReturnedLine(**values, line_id=line.sale_line_id, product_id=product_id, sku=sku)
        )
    return lines
