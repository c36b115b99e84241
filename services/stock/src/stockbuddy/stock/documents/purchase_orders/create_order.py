"""Drafts: what is to be ordered, priced, and changed until it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.errors import Unprocessable
from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.chassis.messaging import outbox
from stockbuddy.contracts.stock import PurchaseDrafted, PurchaseLine, PurchaseUpdated
from stockbuddy.stock.documents.purchase_orders import queries
from stockbuddy.stock.documents.purchase_orders.model import PurchaseOrder, PurchaseOrderLine
from stockbuddy.stock.documents.purchase_orders.schemas import PurchaseOrderLineCreate, PurchaseOrderCreate, PurchaseOrderResponse
from stockbuddy.stock.documents.pricing import MAX_AMOUNT, line_amount
from stockbuddy.stock.errors import InvalidState
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.inventory.warehouses.warehouse_cache import WarehouseEntry
from stockbuddy.stock.ledger import ZERO, DocumentChanges, Posting, PostingResult, Row
from stockbuddy.stock.replicas.products.model import ProductReplica
from stockbuddy.stock.replicas.suppliers import Supplier


@dataclass(frozen=True, slots=True)
class CostedLine:
    """A line whose cost is settled."""

    product: ProductReplica
    quantity: Decimal
    unit_cost: Decimal
    total: Decimal


async def draft_order(context: PostingContext, wanted: PurchaseOrderCreate) -> Posting:
    """Raises UnknownSupplier, UnknownProduct, UnknownWarehouse, WarehouseForbidden, Unprocessable."""
    warehouse = await context.warehouse(wanted.warehouse_reference)
    supplier = await context.suppliers.load(wanted.supplier_id)
    lines = await cost_lines(context, wanted.lines)
    return posting_of_draft(context, supplier, warehouse, lines, wanted.model_dump(include=_OWN_WORDS))


_OWN_WORDS = {"reference", "notes", "expected_at"}


def posting_of_draft(
    context: PostingContext,
    supplier: Supplier,
    warehouse: WarehouseEntry,
    lines: Sequence[CostedLine],
    words: Mapping[str, Any],
) -> Posting:
    return Posting(
        [],
        lambda result: _build_changes(new_draft(result, 0, context, supplier, warehouse, lines, words)),
        context.key,
        new_ids={"purchase_order": 1, "purchase_order_line": len(lines)},
    )


async def cost_lines(context: PostingContext, lines: Sequence[PurchaseOrderLineCreate]) -> list[CostedLine]:
    """Raises UnknownProduct, Unprocessable."""
    known = await context.products.load([line.product_reference for line in lines])
    costed = [
        cost_line(position, known[line.product_reference], line.quantity, line.unit_cost)
        for position, line in enumerate(lines)
    ]
    require_recordable_total(costed)
    return costed


def require_recordable_total(lines: Sequence[CostedLine]) -> None:
    """Raises Unprocessable when an order of these lines could not be recorded."""
    if sum((line.total for line in lines), ZERO) >= MAX_AMOUNT:
        raise Unprocessable.field("lines", "come to more than can be recorded")


def cost_line(position: int, product: ProductReplica, quantity: Decimal, unit_cost: Decimal | None) -> CostedLine:
    """At `unit_cost`, or else at the product's cost price. Raises Unprocessable."""
    unit_cost = product.cost_price if unit_cost is None else unit_cost
    if unit_cost is None:
        raise Unprocessable.field(f"lines.{position}.unit_cost", "is needed: the product has no cost price")
    try:
        total = line_amount(quantity, unit_cost)
    except ValueError as error:
        raise Unprocessable.field(f"lines.{position}.unit_cost", str(error)) from error
    return CostedLine(product, quantity, unit_cost, total)


def new_draft(
    result: PostingResult,
    index: int,
    context: PostingContext,
    supplier: Supplier,
    warehouse: WarehouseEntry,
    lines: Sequence[CostedLine],
    words: Mapping[str, Any],
    first_line: int = 0,
) -> PurchaseDrafted:
    """The draft, as the `index`-th order and from the `first_line`-th line of those that the posting makes."""
    order_id = result.ids["purchase_order"][index]
    line_ids = result.ids["purchase_order_line"][first_line : first_line + len(lines)]
    return PurchaseDrafted.model_construct(
        id=order_id,
        version=1,
        number=f"PO-{order_id:06d}",
        status="draft",
        supplier_id=supplier.id,
        supplier=supplier.name,
        warehouse_id=warehouse.id,
        **words,
        total=sum((line.total for line in lines), ZERO),
        received_total=ZERO,
        created_by=context.caller.user_id,
        created_at=result.recorded_at,
        updated_at=result.recorded_at,
        ordered_at=None,
        received_at=None,
        cancelled_at=None,
        lines=[_line(line_id, line) for line_id, line in zip(line_ids, lines, strict=True)],
    )


def _line(line_id: int, line: CostedLine) -> PurchaseLine:
    return PurchaseLine.model_construct(
        id=line_id,
        product_id=line.product.id,
        sku=line.product.sku,
        name=line.product.name,
        quantity=line.quantity,
        unit_cost=line.unit_cost,
        total=line.total,
        received=ZERO,
        outstanding=ZERO,
    )


def _build_changes(order: PurchaseDrafted) -> DocumentChanges:
    return DocumentChanges(StoredResponse(201, order.model_dump_json()), inserts=rows_of([order]), events=[order])


def rows_of(orders: Sequence[PurchaseDrafted]) -> dict[str, list[Row]]:
    return {
        "purchase_order": [_order_row(order) for order in orders],
        "purchase_order_line": [row for order in orders for row in _line_rows(order)],
    }


def _order_row(order: PurchaseDrafted) -> Row:
    return {name: value for name, value in dict(order).items() if name != "lines"}


def _line_rows(order: PurchaseDrafted) -> list[Row]:
    fixed = {"purchase_order_id": order.id, "warehouse_id": order.warehouse_id, "over_received": False}
    return [{**fixed, "position": position, **dict(line)} for position, line in enumerate(order.lines)]


async def change_draft(
    session: AsyncSession,
    order: PurchaseOrder,
    changes: Mapping[str, Any],
    supplier: Supplier | None,
    lines: Sequence[CostedLine] | None,
) -> PurchaseOrderResponse:
    """Change a locked order that has not been ordered yet. Raises InvalidState."""
    if order.status != "draft":
        raise InvalidState("purchase order", order.status, ["draft"])
    for name, value in changes.items():
        setattr(order, name, value)
    if supplier is not None:
        order.supplier_id, order.supplier = supplier.id, supplier.name
    if lines is not None:
        order.total = sum((line.total for line in lines), ZERO)
        await queries.replace_lines(session, order.id, [_new_line(order, *numbered) for numbered in enumerate(lines)])
    order.version += 1
    order.updated_at = datetime.now(UTC)
    await session.flush()
    view = await queries.find_order(session, order.id)
    assert view is not None
    outbox.add(session, PurchaseUpdated.model_construct(**dict(view)))
    return view


def _new_line(order: PurchaseOrder, position: int, line: CostedLine) -> PurchaseOrderLine:
    return PurchaseOrderLine(
        purchase_order_id=order.id,
        position=position,
        product_id=line.product.id,
        warehouse_id=order.warehouse_id,
        sku=line.product.sku,
        name=line.product.name,
        quantity=line.quantity,
        unit_cost=line.unit_cost,
        total=line.total,
        received=ZERO,
        outstanding=ZERO,
        over_received=False,
    )
