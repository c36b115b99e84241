"""Receives stock of a purchase order in any number of receipts, each line at its own unit cost, and never more than was
ordered unless the client allows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from stockbuddy.chassis.http.errors import Unprocessable
from stockbuddy.contracts.stock import PurchaseLine, PurchaseReceived, ReceivedLine
from stockbuddy.stock.documents.allocation import allocate
from stockbuddy.stock.documents.pricing import MAX_AMOUNT, TOO_LARGE, line_amount, minor_unit
from stockbuddy.stock.documents.purchase_orders.queries import load_order
from stockbuddy.stock.documents.purchase_orders.schemas import (
    PurchaseOrderResponse,
    ReceivedPurchaseOrderResponse,
    ReceivePurchaseOrder,
    ReceivePurchaseOrderLine,
)
from stockbuddy.stock.documents.responses import document_response
from stockbuddy.stock.errors import InvalidState, NotInPurchaseOrder, OverReceipt
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.ledger import (
    ZERO,
    Change,
    DocumentChanges,
    Entry,
    LevelKey,
    MovementType,
    Posting,
    PostingResult,
    Purpose,
    Row,
    VersionCheck,
    row_of,
)
from stockbuddy.stock.replicas.system_settings import load_currency

RECEIVABLE = ("ordered", "partially_received")


@dataclass(frozen=True, slots=True)
class ReceiptAllocation:
    """The part of a receipt that belongs to one line of the order."""

    line: PurchaseLine
    quantity: Decimal
    unit_cost: Decimal


async def plan_receipt(context: PostingContext, order_id: int, body: ReceivePurchaseOrder) -> Posting:
    """Raises NotFound, WarehouseForbidden, InvalidState, NotInPurchaseOrder, OverReceipt, Unprocessable."""
    order = await load_order(context, order_id)
    _require_receivable(order, body)
    parts = _allocate(order, body)
    received_total = _received_total(order, parts, minor_unit(await load_currency(context.database)))
    if received_total >= MAX_AMOUNT:
        raise Unprocessable.field("lines", TOO_LARGE, "amount_too_large")
    return Posting(
        [_entry(order, body, part) for part in parts],
        lambda result: _build_changes(result, context, order, body, parts, received_total),
        context.authority(Purpose.PURCHASE),
        context.key,
        checks=[VersionCheck("purchase_order", order.id, order.version)],
        new_ids={"purchase_receipt": 1, "purchase_receipt_line": len(parts)},
        document=f"purchase_order/{order.id}",
    )


def _require_receivable(order: PurchaseOrderResponse, body: ReceivePurchaseOrder) -> None:
    allowed = (*RECEIVABLE, "received") if body.allow_over_receipt else RECEIVABLE
    has_outstanding = any(line.outstanding for line in order.lines)
    if order.status not in allowed or (body.lines is None and not has_outstanding):
        raise InvalidState("purchase order", order.status, RECEIVABLE if body.lines is None else allowed)


def _entry(order: PurchaseOrderResponse, body: ReceivePurchaseOrder, part: ReceiptAllocation) -> Entry:
    return Entry(
        LevelKey(part.line.product_id, order.warehouse_id),
        on_hand=part.quantity,
        movement_type=MovementType.PURCHASE,
        unit_cost=part.unit_cost,
        reference_number=body.reference or order.number,
        notes=body.notes,
        occurred_at=body.occurred_at,
    )


def _allocate(order: PurchaseOrderResponse, body: ReceivePurchaseOrder) -> list[ReceiptAllocation]:
    """Without `lines`, everything outstanding."""
    requests = body.lines or [
        ReceivePurchaseOrderLine(line_id=line.id, quantity=line.outstanding)
        for line in order.lines
        if line.outstanding > ZERO
    ]
    allocation = allocate(
        order.lines,
        ((request, request.quantity) for request in requests),
        lambda line: line.outstanding,
        unknown_line=NotInPurchaseOrder,
        allow_excess=body.allow_over_receipt,
    )
    if allocation.excesses:
        raise OverReceipt([
            request.excess(requested=request.quantity, receivable=request.quantity - excess)
            for request, excess in allocation.excesses
        ])  # fmt: skip
    return [
        ReceiptAllocation(
            share.line,
            share.quantity,
            share.line.unit_cost if share.request.unit_cost is None else share.request.unit_cost,
        )
        for share in allocation.shares
    ]


def _received_total(order: PurchaseOrderResponse, parts: Sequence[ReceiptAllocation], unit: Decimal) -> Decimal:
    try:
        return order.received_total + sum((line_amount(part.quantity, part.unit_cost, unit) for part in parts), ZERO)
    except ValueError as error:
        raise Unprocessable.field("lines", error) from error


def _build_changes(
    result: PostingResult,
    context: PostingContext,
    order: PurchaseOrderResponse,
    body: ReceivePurchaseOrder,
    parts: Sequence[ReceiptAllocation],
    received_total: Decimal,
) -> DocumentChanges:
    lines = _received_lines(result, parts)
    after = _order_after(result, order, parts, received_total)
    receipt: Row = {
        "id": result.new_id("purchase_receipt"),
        "purchase_order_id": order.id,
        "reference": body.reference,
        "notes": body.notes,
        "performed_by": context.caller.user_id,
        "occurred_at": body.occurred_at or result.recorded_at,
        "recorded_at": result.recorded_at,
    }
    response = ReceivedPurchaseOrderResponse.model_construct(**dict(after), receipt_id=receipt["id"], receipt=lines)
    return DocumentChanges(
        document_response(200, response),
        inserts={
            "purchase_receipt": [receipt],
            "purchase_receipt_line": [_receipt_line_row(receipt["id"], line) for line in lines],
        },
        updates={
            "purchase_order": [row_of(after, "id", "status", "received_total", "received_at", "updated_at")],
            "purchase_order_line": _line_rows(after, parts),
        },
        events=[PurchaseReceived.model_construct(**dict(response))],
    )


def _received_lines(result: PostingResult, parts: Sequence[ReceiptAllocation]) -> list[ReceivedLine]:
    return [
        _build_line(line_id, part, change)
        for line_id, part, change in zip(result.ids["purchase_receipt_line"], parts, result.accepted(), strict=True)
    ]


def _build_line(line_id: int, part: ReceiptAllocation, change: Change) -> ReceivedLine:
    assert change.movement_id is not None
    return ReceivedLine.model_construct(
        id=line_id,
        line_id=part.line.id,
        product_id=part.line.product_id,
        sku=part.line.sku,
        quantity=part.quantity,
        unit_cost=part.unit_cost,
        movement_id=change.movement_id,
    )


def _order_after(
    result: PostingResult, order: PurchaseOrderResponse, parts: Sequence[ReceiptAllocation], received_total: Decimal
) -> PurchaseOrderResponse:
    quantities = {line.id: ZERO for line in order.lines}
    for part in parts:
        quantities[part.line.id] += part.quantity
    lines = [_line_after(line, quantities[line.id]) for line in order.lines]
    is_complete = not any(line.outstanding for line in lines)
    return order.model_copy(
        update={
            "version": order.version + 1,
            "status": "received" if is_complete else "partially_received",
            "received_total": received_total,
            "received_at": result.recorded_at if is_complete else None,
            "updated_at": result.recorded_at,
            "lines": lines,
        }
    )


def _line_after(line: PurchaseLine, quantity: Decimal) -> PurchaseLine:
    received = line.received + quantity
    return line.model_copy(update={"received": received, "outstanding": max(line.quantity - received, ZERO)})


def _receipt_line_row(receipt_id: int, line: ReceivedLine) -> Row:
    references = {"receipt_id": receipt_id, "purchase_order_line_id": line.line_id}
    return references | dict(row_of(line, "id", "quantity", "unit_cost", "movement_id"))


def _line_rows(order: PurchaseOrderResponse, parts: Sequence[ReceiptAllocation]) -> list[Row]:
    updated = {part.line.id for part in parts}
    return [
        {**row_of(line, "id", "received", "outstanding"), "over_received": line.received > line.quantity}
        for line in order.lines
        if line.id in updated
    ]
