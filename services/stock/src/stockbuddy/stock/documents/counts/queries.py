"""Reads of stock counts."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.pagination import PageSlice, SortOrder, fetch_page, sort_orders
from stockbuddy.chassis.http.sessions import get_or_404
from stockbuddy.contracts import stock as contract
from stockbuddy.stock.documents.counts.model import Count, CountLine
from stockbuddy.stock.documents.counts.schemas import StockCountFilter, StockCountResponse
from stockbuddy.stock.ledger import row_of
from stockbuddy.stock.replicas.products.model import Product

SORT_ORDERS = sort_orders(
    SortOrder("created_desc", (Count.id,), descending=True), SortOrder("created_asc", (Count.id,))
)


def _conditions(filters: StockCountFilter) -> list[ColumnElement[bool]]:
    equalities = ((Count.status, filters.status), (Count.warehouse_id, filters.warehouse_id))
    conditions: list[ColumnElement[bool]] = [column == value for column, value in equalities if value is not None]
    if filters.product_id is not None:
        conditions.append(exists().where(CountLine.count_id == Count.id, CountLine.product_id == filters.product_id))
    return conditions


async def list_counts(session: AsyncSession, filters: StockCountFilter) -> PageSlice[StockCountResponse]:
    query = select(Count).where(*_conditions(filters))
    found = await fetch_page(session, query, SORT_ORDERS[filters.sort_by], filters)
    return PageSlice(await _with_lines(session, found.rows), found.total, found.next_cursor)


async def get_count(session: AsyncSession, count_id: int) -> StockCountResponse:
    """Raises NotFound."""
    return await to_response(session, await get_or_404(session, Count, count_id))


async def fetch_product_ids(session: AsyncSession, count_id: int) -> set[int]:
    return set(await session.scalars(select(CountLine.product_id).where(CountLine.count_id == count_id)))


async def to_response(session: AsyncSession, count: Count) -> StockCountResponse:
    return (await _with_lines(session, [count]))[0]


async def _with_lines(session: AsyncSession, counts: Sequence[Count]) -> list[StockCountResponse]:
    lines: dict[int, list[contract.CountLine]] = {count.id: [] for count in counts}
    query = (
        select(CountLine, Product.sku, Product.name)
        .join(Product, Product.id == CountLine.product_id)
        .where(CountLine.count_id.in_(lines))
        .order_by(CountLine.count_id, Product.sku, CountLine.lot)
    )
    columns = [name for name in contract.CountLine.model_fields if name not in ("sku", "name")]
    for line, sku, name in await session.execute(query):
        lines[line.count_id].append(contract.CountLine.model_construct(**row_of(line, *columns), sku=sku, name=name))
    header = [name for name in StockCountResponse.model_fields if name != "lines"]
    return [StockCountResponse.model_construct(**row_of(count, *header), lines=lines[count.id]) for count in counts]
