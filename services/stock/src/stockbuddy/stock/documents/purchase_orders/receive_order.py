"""Takes in what has arrived of an order: in as many parts as it comes, each unit at the cost at which it came,
and never more than was ordered unless that is asked for."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from stockbuddy.chassis.http.errors import Unprocessable
from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.contracts.numbers import quantity_number
from stockbuddy.contracts.stock import PurchaseLine, PurchaseReceived, ReceivedLine
from stockbuddy.stock.documents.purchase_orders.place_order import order_at_hand, outstanding
from stockbuddy.stock.documents.purchase_orders.schemas import ReceivePurchaseOrder, ReceivePurchaseOrderLine, PurchaseOrderResponse, ReceivedPurchaseOrderResponse
from stockbuddy.stock.documents.pricing import MAX_AMOUNT, line_amount
from stockbuddy.stock.errors import InvalidState, NotInPurchaseOrder, OverReceipt
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.ledger import (
    ZERO,
    DocumentChanges,
    Entry,
    LevelKey,
    MovementType,
    Posting,
    PostingResult,
    Row,
    VersionCheck,
)


@dataclass(frozen=True, slots=True)
class ReceiptAllocation:
    """Part of a receipt that belongs to one line of the order."""

    line: PurchaseLine
    quantity: Decimal
    unit_cost: Decimal


async def draft_receipt(context: PostingContext, order_id: int, wanted: ReceivePurchaseOrder) -> Posting:
    """Raises NotFound, WarehouseForbidden, InvalidState, NotInPurchaseOrder, OverReceipt, Unprocessable."""
    order = await order_at_hand(context, order_id)
    receivable = ("ordered", "partially_received", *(("received",) if wanted.allow_over_receipt else ()))
    if order.status not in receivable:
        raise InvalidState("purchase order", order.status, receivable)
    arriving = _allot(order, wanted)
    if _received_total(order, arriving) >= MAX_AMOUNT:
        raise Unprocessable.field("lines", "come to more than can be recorded")
    return Posting(
        [_entry(order, wanted, part) for part in arriving],
        lambda result: _build_changes(result, context, order, wanted, arriving),
        context.key,
        checks=[VersionCheck("purchase_order", order.id, order.version)],
        new_ids={"purchase_receipt": 1, "purchase_receipt_line": len(arriving)},
        document=f"purchase_order/{order.id}",
    )


def _entry(order: PurchaseOrderResponse, wanted: ReceivePurchaseOrder, part: ReceiptAllocation) -> Entry:
    return Entry(
        LevelKey(part.line.product_id, order.warehouse_id),
        on_hand=part.quantity,
        movement_type=MovementType.PURCHASE,
        unit_cost=part.unit_cost,
        reference_number=wanted.reference or order.number,
        notes=wanted.notes,
        occurred_at=wanted.occurred_at,
    )


def _allot(order: PurchaseOrderResponse, wanted: ReceivePurchaseOrder) -> list[ReceiptAllocation]:
    """Which lines get how much: those named, or whatever is left. What is too much goes to the last line named."""
    if wanted.lines is None and not any(line.outstanding for line in order.lines):
        raise InvalidState("purchase order", order.status, ["ordered", "partially_received"])
    requests = wanted.lines or [
        ReceivePurchaseOrderLine(line_id=line.id, quantity=line.outstanding) for line in order.lines if line.outstanding > 0
    ]
    left = {line.id: line.outstanding for line in order.lines}
    arriving: list[ReceiptAllocation] = []
    excesses: list[dict[str, Any]] = []
    for request in requests:
        missing = request.quantity
        lines = _lines_named(order, request)
        for line in lines:
            is_last = line is lines[-1]
            part = missing if is_last and wanted.allow_over_receipt else min(missing, left[line.id])
            if part > 0:
                arriving.append(
                    ReceiptAllocation(line, part, line.unit_cost if request.unit_cost is None else request.unit_cost)
                )
            left[line.id] = max(left[line.id] - part, ZERO)
            missing -= part
        if missing > 0:
            excesses.append(_excess(request, missing))
    if excesses:
        raise OverReceipt(excesses)
    return arriving


def _lines_named(order: PurchaseOrderResponse, request: ReceivePurchaseOrderLine) -> list[PurchaseLine]:
    lines = [
        line
        for line in order.lines
        if line.id == request.line_id
        or line.product_id == request.product_id
        or (request.sku is not None and line.sku.lower() == request.sku.lower())
    ]
    if not lines:
        raise NotInPurchaseOrder()
    return lines


def _excess(request: ReceivePurchaseOrderLine, missing: Decimal) -> dict[str, Any]:
    named = request.model_dump(exclude_none=True, include={"line_id", "product_id", "sku"})
    numbers = {
        "requested": quantity_number(request.quantity),
        "receivable": quantity_number(request.quantity - missing),
    }
    return named | numbers


def _received_total(order: PurchaseOrderResponse, arriving: list[ReceiptAllocation]) -> Decimal:
    try:
        return order.received_total + sum((line_amount(part.quantity, part.unit_cost) for part in arriving), ZERO)
    except ValueError as error:
        raise Unprocessable.field("lines", str(error)) from error


def _build_changes(
    result: PostingResult, context: PostingContext, order: PurchaseOrderResponse, wanted: ReceivePurchaseOrder, arriving: list[ReceiptAllocation]
) -> DocumentChanges:
    received = [
        _received(line_id, part, change.movement_id)
        for line_id, part, change in zip(result.ids["purchase_receipt_line"], arriving, result.accepted(), strict=True)
    ]
    after = _order_after(result, order, arriving)
    receipt_id = result.ids["purchase_receipt"][0]
    view = ReceivedPurchaseOrderResponse.model_construct(**dict(after), receipt_id=receipt_id, receipt=received)
    receipt: Row = {
        "id": receipt_id,
        "purchase_order_id": order.id,
        "reference": wanted.reference,
        "notes": wanted.notes,
        "performed_by": context.caller.user_id,
        "occurred_at": wanted.occurred_at or result.recorded_at,
        "recorded_at": result.recorded_at,
    }
    return DocumentChanges(
        StoredResponse(200, view.model_dump_json()),
        inserts={"purchase_receipt": [receipt], "purchase_receipt_line": [_row(receipt_id, line) for line in received]},
        updates={"purchase_order": [_order_row(after)], "purchase_order_line": _line_rows(after, arriving)},
        events=[PurchaseReceived.model_construct(**dict(view))],
    )


def _received(line_id: int, part: ReceiptAllocation, movement_id: int | None) -> ReceivedLine:
    assert movement_id is not None
    return ReceivedLine.model_construct(
        id=line_id,
        line_id=part.line.id,
        product_id=part.line.product_id,
        sku=part.line.sku,
        quantity=part.quantity,
        unit_cost=part.unit_cost,
        movement_id=movement_id,
    )


def _order_after(result: PostingResult, order: PurchaseOrderResponse, arriving: list[ReceiptAllocation]) -> PurchaseOrderResponse:
    arrived: dict[int, Decimal] = {}
    for part in arriving:
        arrived[part.line.id] = arrived.get(part.line.id, ZERO) + part.quantity
    lines = [_line_after(line, arrived.get(line.id, ZERO)) for line in order.lines]
    is_complete = not any(line.outstanding for line in lines)
    return order.model_copy(
        update={
            "version": order.version + 1,
            "status": "received" if is_complete else "partially_received",
            "received_total": _received_total(order, arriving),
            "received_at": result.recorded_at if is_complete else None,
            "updated_at": result.recorded_at,
            "lines": lines,
        }
    )


def _line_after(line: PurchaseLine, arrived: Decimal) -> PurchaseLine:
    received = line.received + arrived
    return line.model_copy(update={"received": received, "outstanding": outstanding(line.quantity, received)})


def _row(receipt_id: int, line: ReceivedLine) -> Row:
    return {
        "id": line.id,
        "receipt_id": receipt_id,
        "purchase_order_line_id": line.line_id,
        "quantity": line.quantity,
        "unit_cost": line.unit_cost,
        "movement_id": line.movement_id,
    }


def _order_row(order: PurchaseOrderResponse) -> Row:
    names = ("id", "status", "received_total", "received_at", "updated_at")
    return {name: getattr(order, name) for name in names}


def _line_rows(order: PurchaseOrderResponse, arriving: list[ReceiptAllocation]) -> list[Row]:
    changed = {part.line.id for part in arriving}
    return [
        {
            "id": line.id,
            "received": line.received,
            "outstanding": line.outstanding,
            "over_received": line.received > line.quantity,
        }
        for line in order.lines
        if line.id in changed
    ]
