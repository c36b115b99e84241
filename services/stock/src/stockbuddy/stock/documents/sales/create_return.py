"""Creates a return: never more of a line than was sold, over any number of returns."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from stockbuddy.chassis.http.errors import Unprocessable
from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.contracts.stock import ReturnedLine, SaleLine, SaleReturned
from stockbuddy.stock.documents.allocation import allocate
from stockbuddy.stock.documents.pricing import minor_unit, refund
from stockbuddy.stock.documents.sales.costs import returned_cost, with_totals
from stockbuddy.stock.documents.sales.queries import load_sale
from stockbuddy.stock.documents.sales.schemas import (
    SaleResponse,
    SaleReturnCreate,
    SaleReturnLineCreate,
    SaleReturnResponse,
)
from stockbuddy.stock.errors import NotInSale, ReturnExceedsSale, SaleNotReturnable
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.ledger import (
    ZERO,
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


@dataclass(frozen=True, slots=True)
class Refund:
    """The quantity of a sale line to be returned, the amount due for it, and the exact cost of what is restocked (None
    if unknown or not restocked)."""

    line: SaleLine
    quantity: Decimal
    amount: Decimal
    cost: Decimal | None


async def plan_return(context: PostingContext, sale_id: int, body: SaleReturnCreate) -> Posting:
    """Raises NotFound, WarehouseForbidden, SaleNotReturnable, NotInSale, ReturnExceedsSale, Unprocessable."""
    sale = await load_sale(context, sale_id)
    if sale.status in ("returned", "voided"):
        raise SaleNotReturnable()
    if body.occurred_at is not None and body.occurred_at < sale.occurred_at:
        raise Unprocessable.field("occurred_at", "is before the sale", "before_sale")
    refunds = _allocate(sale, body, minor_unit(await load_currency(context.database)))
    return Posting(
        _entries(sale, refunds, body) if body.restock else [],
        lambda result: _build_changes(result, context, sale, body, refunds),
        context.authority(Purpose.SALE),
        context.key,
        checks=[VersionCheck("sale", sale.id, sale.version)],
        new_ids={"sale_return": 1, "sale_return_line": len(refunds)},
        document="sale_return",
    )


def _entries(sale: SaleResponse, refunds: Sequence[Refund], body: SaleReturnCreate) -> list[Entry]:
    return [
        Entry(
            LevelKey(part.line.product_id, sale.warehouse_id, part.line.lot),
            on_hand=part.quantity,
            movement_type=MovementType.RETURN,
            unit_cost=part.line.unit_cost,
            value=part.cost,
            reference_number=sale.reference,
            notes=body.reason,
            occurred_at=body.occurred_at,
        )
        for part in refunds
    ]


def _allocate(sale: SaleResponse, body: SaleReturnCreate, unit: Decimal) -> list[Refund]:
    """Allocate the returned quantities to sale lines; without `lines`, everything not yet returned."""
    requests = body.lines or [
        SaleReturnLineCreate(line_id=line.id, quantity=_returnable(line))
        for line in sale.lines
        if _returnable(line) > ZERO
    ]
    allocation = allocate(
        sale.lines, ((request, request.quantity) for request in requests), _returnable, unknown_line=NotInSale
    )
    if allocation.excesses:
        raise ReturnExceedsSale([
            request.excess(requested=request.quantity, returnable=request.quantity - excess)
            for request, excess in allocation.excesses
        ])  # fmt: skip
    quantities = {line.id: ZERO for line in sale.lines}
    for share in allocation.shares:
        quantities[share.line.id] += share.quantity
    return [
        _refund(line, quantities[line.id], unit, restock=body.restock)
        for line in sale.lines
        if quantities[line.id] > ZERO
    ]


def _returnable(line: SaleLine) -> Decimal:
    return line.quantity - line.returned


def _refund(line: SaleLine, quantity: Decimal, unit: Decimal, *, restock: bool) -> Refund:
    amount = refund(line.total, line.quantity, line.returned, line.refunded, quantity, unit)
    return Refund(line, quantity, amount, returned_cost(line, quantity) if restock else None)


def _build_changes(
    result: PostingResult,
    context: PostingContext,
    sale: SaleResponse,
    body: SaleReturnCreate,
    refunds: Sequence[Refund],
) -> DocumentChanges:
    lines = _returned_lines(result, refunds)
    sale_after = _sale_after(sale, refunds)
    response = SaleReturnResponse(
        id=result.new_id("sale_return"),
        sale_id=sale.id,
        restock=body.restock,
        reason=body.reason,
        total=sum((line.amount for line in lines), ZERO),
        performed_by=context.caller.user_id,
        occurred_at=body.occurred_at or result.recorded_at,
        recorded_at=result.recorded_at,
        lines=lines,
        sale=sale_after,
    )
    event = SaleReturned.model_construct(
        **dict(sale_after), return_id=response.id, restock=response.restock, returned=lines
    )
    return DocumentChanges(
        StoredResponse(201, response.model_dump_json()),
        inserts={"sale_return": [_return_row(response)], "sale_return_line": _return_line_rows(response)},
        updates={
            "sale": [row_of(sale_after, "id", "status", "refunded", "cost", "profit")],
            "sale_line": _line_rows(sale_after, refunds),
        },
        events=[event],
    )


def _returned_lines(result: PostingResult, refunds: Sequence[Refund]) -> list[ReturnedLine]:
    # Without restocking there are no entries, hence no movements.
    movement_ids = [change.movement_id for change in result.accepted()] or [None] * len(refunds)
    return [
        ReturnedLine(
            id=line_id,
            line_id=part.line.id,
            product_id=part.line.product_id,
            sku=part.line.sku,
            quantity=part.quantity,
            amount=part.amount,
            cost=part.cost,
            movement_id=movement_id,
        )
        for line_id, part, movement_id in zip(result.ids["sale_return_line"], refunds, movement_ids, strict=True)
    ]


def _sale_after(sale: SaleResponse, refunds: Sequence[Refund]) -> SaleResponse:
    parts = {part.line.id: part for part in refunds}
    lines = [_line_after(line, parts[line.id]) if line.id in parts else line for line in sale.lines]
    is_complete = all(line.returned == line.quantity for line in lines)
    status = "returned" if is_complete else "partially_returned"
    return with_totals(sale, lines).model_copy(update={"version": sale.version + 1, "status": status})


def _line_after(line: SaleLine, part: Refund) -> SaleLine:
    return line.model_copy(
        update={
            "returned": line.returned + part.quantity,
            "refunded": line.refunded + part.amount,
            "cost_returned": line.cost_returned + (part.cost or ZERO),
        }
    )


def _return_row(response: SaleReturnResponse) -> Row:
    return row_of(response, *(name for name in SaleReturnResponse.model_fields if name not in ("lines", "sale")))


def _return_line_rows(response: SaleReturnResponse) -> list[Row]:
    return [
        {
            "return_id": response.id,
            "sale_line_id": line.line_id,
            **row_of(line, "id", "quantity", "amount", "cost", "movement_id"),
        }
        for line in response.lines
    ]


def _line_rows(sale: SaleResponse, refunds: Sequence[Refund]) -> list[Row]:
    updated = {part.line.id for part in refunds}
    return [row_of(line, "id", "returned", "refunded", "cost_returned") for line in sale.lines if line.id in updated]
