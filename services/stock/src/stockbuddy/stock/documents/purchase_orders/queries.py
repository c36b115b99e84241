"""Reads of purchase orders, and replacing the lines of drafts, which the ledger does not write."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.pagination import PageSlice, SortOrder, fetch_page, sort_orders
from stockbuddy.chassis.http.sessions import get_or_404
from stockbuddy.chassis.postgres.text_search import contains_text
from stockbuddy.contracts.stock import PurchaseLine, ReceivedLine
from stockbuddy.stock.documents.lines import with_lines
from stockbuddy.stock.documents.purchase_orders.model import (
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseReceipt,
    PurchaseReceiptLine,
)
from stockbuddy.stock.documents.purchase_orders.schemas import (
    PurchaseOrderFilter,
    PurchaseOrderResponse,
    PurchaseReceiptResponse,
)
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.ledger import row_of
from stockbuddy.stock.periods import moment_conditions

SORT_ORDERS = sort_orders(
    SortOrder("created_desc", (PurchaseOrder.created_at, PurchaseOrder.id), descending=True),
    SortOrder("created_asc", (PurchaseOrder.created_at, PurchaseOrder.id)),
)


def _conditions(filters: PurchaseOrderFilter) -> list[ColumnElement[bool]]:
    equalities = (
        (PurchaseOrder.status, filters.status),
        (PurchaseOrder.supplier_id, filters.supplier_id),
        (PurchaseOrder.warehouse_id, filters.warehouse_id),
    )
    conditions: list[ColumnElement[bool]] = [column == value for column, value in equalities if value is not None]
    if filters.product_id is not None:
        conditions.append(_has_line(PurchaseOrderLine.product_id == filters.product_id))
    if filters.search:
        conditions.append(_matches(filters.search))
    return conditions


def _has_line(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(PurchaseOrderLine.purchase_order_id == PurchaseOrder.id, condition)


def _matches(search: str) -> ColumnElement[bool]:
    return or_(
        func.lower(PurchaseOrder.number) == func.lower(search),
        contains_text(search, PurchaseOrder.reference, PurchaseOrder.supplier),
        _has_line(contains_text(search, PurchaseOrderLine.sku, PurchaseOrderLine.name)),
    )


async def list_orders(session: AsyncSession, filters: PurchaseOrderFilter) -> PageSlice[PurchaseOrderResponse]:
    query = select(PurchaseOrder).where(
        *_conditions(filters), *await moment_conditions(session, PurchaseOrder.created_at, filters)
    )
    found = await fetch_page(session, query, SORT_ORDERS[filters.sort_by], filters)
    return PageSlice(await _to_responses(session, found.rows), found.total, found.next_cursor)


async def get_order(session: AsyncSession, order_id: int) -> PurchaseOrderResponse:
    """Raises NotFound."""
    return (await _to_responses(session, [await get_or_404(session, PurchaseOrder, order_id)]))[0]


async def load_order(context: PostingContext, order_id: int) -> PurchaseOrderResponse:
    """The order, if the caller may change stock in its warehouse. Raises NotFound, WarehouseForbidden."""
    async with context.database.reading() as session:
        order = await get_order(session, order_id)
    await context.warehouse(order.warehouse_id)
    return order


async def replace_lines(session: AsyncSession, order_id: int, lines: Sequence[PurchaseOrderLine]) -> None:
    await session.execute(delete(PurchaseOrderLine).where(PurchaseOrderLine.purchase_order_id == order_id))
    session.add_all(lines)
    await session.flush()


async def _to_responses(session: AsyncSession, orders: Sequence[PurchaseOrder]) -> list[PurchaseOrderResponse]:
    line = PurchaseOrderLine
    return await with_lines(session, orders, line.purchase_order_id, line.position, PurchaseLine, PurchaseOrderResponse)


async def list_receipts(session: AsyncSession, order_id: int) -> list[PurchaseReceiptResponse]:
    """The receipts of an order, in the order in which they were recorded."""
    query = select(PurchaseReceipt).where(PurchaseReceipt.purchase_order_id == order_id).order_by(PurchaseReceipt.id)
    receipts = (await session.scalars(query)).all()
    lines = await _receipt_lines(session, [receipt.id for receipt in receipts])
    names = [name for name in PurchaseReceiptResponse.model_fields if name != "lines"]
    return [PurchaseReceiptResponse(**row_of(receipt, *names), lines=lines[receipt.id]) for receipt in receipts]


async def _receipt_lines(session: AsyncSession, receipt_ids: Sequence[int]) -> dict[int, list[ReceivedLine]]:
    query = (
        select(PurchaseReceiptLine, PurchaseOrderLine.product_id, PurchaseOrderLine.sku)
        .join(PurchaseOrderLine, PurchaseOrderLine.id == PurchaseReceiptLine.purchase_order_line_id)
        .where(PurchaseReceiptLine.receipt_id.in_(receipt_ids))
        .order_by(PurchaseReceiptLine.id)
    )
    lines: dict[int, list[ReceivedLine]] = {receipt_id: [] for receipt_id in receipt_ids}
    for line, product_id, sku in await session.execute(query):
        values = row_of(line, "id", "quantity", "unit_cost", "movement_id")
        lines[line.receipt_id].append(
            ReceivedLine(**values, line_id=line.purchase_order_line_id, product_id=product_id, sku=sku)
        )
    return lines
