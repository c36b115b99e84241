"""What is read of purchase orders, and the one write that is not the ledger's: new lines for a draft."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.pagination import PageQuery
from stockbuddy.contracts.stock import PurchaseLine, ReceivedLine
from stockbuddy.stock.documents.purchase_orders.model import (
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseReceipt,
    PurchaseReceiptLine,
)
from stockbuddy.stock.documents.purchase_orders.schemas import PurchaseOrderResponse, PurchaseReceiptResponse
from stockbuddy.stock.listing import Listed, Sort, fetch_listed

NEWEST_FIRST = Sort("created_desc", (PurchaseOrder.created_at, PurchaseOrder.id), descending=True)
OLDEST_FIRST = Sort("created_asc", (PurchaseOrder.created_at, PurchaseOrder.id))
SORTS = {sort.name: sort for sort in (NEWEST_FIRST, OLDEST_FIRST)}


@dataclass(frozen=True, slots=True)
class PurchaseFilter:
    """Every field narrows the list; `since` and `until` are half-open and go by `created_at`."""

    status: str | None = None
    supplier_id: int | None = None
    warehouse_id: int | None = None
    product_id: int | None = None
    search: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        chosen = [
            (PurchaseOrder.status, self.status),
            (PurchaseOrder.supplier_id, self.supplier_id),
            (PurchaseOrder.warehouse_id, self.warehouse_id),
        ]
        conditions: list[ColumnElement[bool]] = [column == value for column, value in chosen if value is not None]
        if self.product_id is not None:
            conditions.append(_has_line(PurchaseOrderLine.product_id == self.product_id))
        if self.search:
            conditions.append(_found_by(self.search))
        if self.since is not None:
            conditions.append(PurchaseOrder.created_at >= self.since)
        if self.until is not None:
            conditions.append(PurchaseOrder.created_at < self.until)
        return conditions


def _has_line(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(PurchaseOrderLine.purchase_order_id == PurchaseOrder.id, condition)


def _found_by(words: str) -> ColumnElement[bool]:
    """Number, reference, supplier, SKU or name of something ordered."""
    return or_(
        func.lower(PurchaseOrder.number) == func.lower(words),
        PurchaseOrder.reference.icontains(words, autoescape=True),
        PurchaseOrder.supplier.icontains(words, autoescape=True),
        _has_line(
            or_(
                PurchaseOrderLine.sku.icontains(words, autoescape=True),
                PurchaseOrderLine.name.icontains(words, autoescape=True),
            )
        ),
    )


async def list_orders(
    session: AsyncSession, chosen: PurchaseFilter, sort: Sort, paging: PageQuery
) -> tuple[Listed, list[PurchaseOrderResponse]]:
    """The page, and its orders with their lines."""
    listed = await fetch_listed(session, select(PurchaseOrder).where(*chosen.conditions()), sort, paging)
    return listed, await _with_lines(session, listed.rows)


async def find_order(session: AsyncSession, order_id: int) -> PurchaseOrderResponse | None:
    order = await session.get(PurchaseOrder, order_id)
    return None if order is None else (await _with_lines(session, [order]))[0]


async def lock_order(session: AsyncSession, order_id: int) -> PurchaseOrder | None:
    return await session.get(PurchaseOrder, order_id, with_for_update=True)


async def replace_lines(session: AsyncSession, order_id: int, lines: Sequence[PurchaseOrderLine]) -> None:
    await session.execute(delete(PurchaseOrderLine).where(PurchaseOrderLine.purchase_order_id == order_id))
    session.add_all(lines)
    await session.flush()


async def _with_lines(session: AsyncSession, orders: Sequence[PurchaseOrder]) -> list[PurchaseOrderResponse]:
    lines: dict[int, list[PurchaseLine]] = {order.id: [] for order in orders}
    query = (
        select(PurchaseOrderLine)
        .where(PurchaseOrderLine.purchase_order_id.in_(lines))
        .order_by(PurchaseOrderLine.purchase_order_id, PurchaseOrderLine.position)
    )
    for line in await session.scalars(query):
        lines[line.purchase_order_id].append(as_line(line))
    return [_view(order, lines[order.id]) for order in orders]


def as_line(line: PurchaseOrderLine) -> PurchaseLine:
    return PurchaseLine.model_construct(**{name: getattr(line, name) for name in PurchaseLine.model_fields})


def _view(order: PurchaseOrder, lines: list[PurchaseLine]) -> PurchaseOrderResponse:
    values = {name: getattr(order, name) for name in PurchaseOrderResponse.model_fields if name != "lines"}
    return PurchaseOrderResponse.model_construct(**values, lines=lines)


async def list_receipts(session: AsyncSession, order_id: int) -> list[PurchaseReceiptResponse]:
    """The receipts of an order, in the order in which they were recorded."""
    mine = PurchaseReceipt.purchase_order_id == order_id
    receipts = (await session.scalars(select(PurchaseReceipt).where(mine).order_by(PurchaseReceipt.id))).all()
    query = (
        select(PurchaseReceiptLine, PurchaseOrderLine.product_id, PurchaseOrderLine.sku)
        .join(PurchaseOrderLine, PurchaseOrderLine.id == PurchaseReceiptLine.purchase_order_line_id)
        .where(PurchaseReceiptLine.receipt_id.in_([receipt.id for receipt in receipts]))
        .order_by(PurchaseReceiptLine.id)
    )
    lines: dict[int, list[ReceivedLine]] = {receipt.id: [] for receipt in receipts}
    for line, product_id, sku in await session.execute(query):
        lines[line.receipt_id].append(
            ReceivedLine(
                id=line.id,
                line_id=line.purchase_order_line_id,
                product_id=product_id,
                sku=sku,
                quantity=line.quantity,
                unit_cost=line.unit_cost,
                movement_id=line.movement_id,
            )
        )
    return [
        PurchaseReceiptResponse(
            **{name: getattr(receipt, name) for name in PurchaseReceiptResponse.model_fields if name != "lines"},
            lines=lines[receipt.id],
        )
        for receipt in receipts
    ]
