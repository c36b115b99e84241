"""Takes returns: never more of a line than was sold, over any number of returns."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.contracts.numbers import quantity_number
from stockbuddy.contracts.stock import ReturnedLine, SaleLine, SaleReturned
from stockbuddy.stock.documents.pricing import refund
from stockbuddy.stock.documents.sales.queries import find_sale
from stockbuddy.stock.documents.sales.schemas import SaleReturnCreate, SaleReturnLineCreate, SaleReturnResponse, SaleResponse
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
    Row,
    VersionCheck,
)


@dataclass(frozen=True, slots=True)
class ReturningLine:
    line: SaleLine
    quantity: Decimal
    amount: Decimal


async def draft_return(context: PostingContext, sale_id: int, wanted: SaleReturnCreate) -> Posting:
    """Raises NotFound, WarehouseForbidden, SaleNotReturnable, NotInSale, ReturnExceedsSale."""
    async with context.database.reading() as session:
        sale = await find_sale(session, sale_id)
    if sale is None:
        raise NotFound()
    await context.warehouse(sale.warehouse_id)
    if sale.status in ("returned", "voided"):
        raise SaleNotReturnable()
    returning = _allot(sale, wanted)
    return Posting(
        _entries(sale, returning, wanted) if wanted.restock else [],
        lambda result: _build_changes(result, context, sale, wanted, returning),
        context.key,
        checks=[VersionCheck("sale", sale.id, sale.version)],
        new_ids={"sale_return": 1, "sale_return_line": len(returning)},
        document="sale_return",
    )


def _entries(sale: SaleResponse, returning: list[ReturningLine], wanted: SaleReturnCreate) -> list[Entry]:
    return [
        Entry(
            LevelKey(back.line.product_id, sale.warehouse_id, back.line.lot),
            on_hand=back.quantity,
            movement_type=MovementType.RETURN,
            unit_cost=back.line.unit_cost,
            reference_number=sale.reference,
            notes=wanted.reason,
            occurred_at=wanted.occurred_at,
        )
        for back in returning
    ]


def _allot(sale: SaleResponse, wanted: SaleReturnCreate) -> list[ReturningLine]:
    """Which lines give back how much: those named, or all that is left."""
    left = {line.id: line.quantity - line.returned for line in sale.lines}
    taken: dict[int, Decimal] = dict.fromkeys(left, ZERO)
    excesses: list[dict[str, Any]] = []
    requests = wanted.lines or [SaleReturnLineCreate(line_id=id_, quantity=rest) for id_, rest in left.items() if rest > 0]
    for request in requests:
        missing = request.quantity
        for line in _lines_named(sale, request):
            part = min(missing, left[line.id] - taken[line.id])
            taken[line.id] += part
            missing -= part
        if missing > 0:
            excesses.append(_excess(request, missing))
    if excesses:
        raise ReturnExceedsSale(excesses)
    return [_returning(line, taken[line.id]) for line in sale.lines if taken[line.id] > 0]


def _lines_named(sale: SaleResponse, request: SaleReturnLineCreate) -> list[SaleLine]:
    lines = [
        line
        for line in sale.lines
        if line.id == request.line_id
        or line.product_id == request.product_id
        or (request.sku is not None and line.sku.lower() == request.sku.lower())
    ]
    if not lines:
        raise NotInSale()
    return lines


def _excess(request: SaleReturnLineCreate, missing: Decimal) -> dict[str, Any]:
    named = request.model_dump(exclude_none=True, exclude={"quantity"})
    returnable = request.quantity - missing
    return named | {"requested": quantity_number(request.quantity), "returnable": quantity_number(returnable)}


def _returning(line: SaleLine, quantity: Decimal) -> ReturningLine:
    return ReturningLine(line, quantity, refund(line.total, line.quantity, line.returned, line.refunded, quantity))


def _build_changes(
    result: PostingResult, context: PostingContext, sale: SaleResponse, wanted: SaleReturnCreate, returning: list[ReturningLine]
) -> DocumentChanges:
    movement_ids = [change.movement_id for change in result.accepted()] or [None] * len(returning)
    returned = [
        ReturnedLine(
            id=line_id,
            line_id=back.line.id,
            product_id=back.line.product_id,
            sku=back.line.sku,
            quantity=back.quantity,
            amount=back.amount,
            movement_id=movement_id,
        )
        for line_id, back, movement_id in zip(result.ids["sale_return_line"], returning, movement_ids, strict=True)
    ]
    now = sale_after(sale, returning)
    made = SaleReturnResponse(
        id=result.ids["sale_return"][0],
        sale_id=sale.id,
        restock=wanted.restock,
        reason=wanted.reason,
        total=sum((line.amount for line in returned), ZERO),
        performed_by=context.caller.user_id,
        occurred_at=wanted.occurred_at or result.recorded_at,
        recorded_at=result.recorded_at,
        lines=returned,
        sale=now,
    )
    event = SaleReturned.model_construct(**dict(now), return_id=made.id, restock=made.restock, returned=returned)
    return DocumentChanges(
        StoredResponse(201, made.model_dump_json()),
        inserts={"sale_return": [_return_row(made)], "sale_return_line": _return_line_rows(made)},
        updates={"sale": [_sale_row(now)], "sale_line": _sale_line_rows(now, returning)},
        events=[event],
    )


def sale_after(sale: SaleResponse, returning: list[ReturningLine]) -> SaleResponse:
    """The sale once the lines have come back."""
    back = {part.line.id: part for part in returning}
    lines = [
        line.model_copy(
            update={
                "returned": line.returned + back[line.id].quantity,
                "refunded": line.refunded + back[line.id].amount,
            }
        )
        if line.id in back
        else line
        for line in sale.lines
    ]
    is_all_back = all(line.returned == line.quantity for line in lines)
    return sale.model_copy(
        update={
            "version": sale.version + 1,
            "status": "returned" if is_all_back else "partially_returned",
            "refunded": sum((line.refunded for line in lines), ZERO),
            "lines": lines,
        }
    )


def _return_row(made: SaleReturnResponse) -> Row:
    return {name: getattr(made, name) for name in SaleReturnResponse.model_fields if name not in ("lines", "sale")}


def _return_line_rows(made: SaleReturnResponse) -> list[Row]:
    return [
        {
            "id": line.id,
            "return_id": made.id,
            "sale_line_id": line.line_id,
            "quantity": line.quantity,
            "amount": line.amount,
            "movement_id": line.movement_id,
        }
        for line in made.lines
    ]


def _sale_row(sale: SaleResponse) -> Row:
    return {"id": sale.id, "status": sale.status, "refunded": sale.refunded}


def _sale_line_rows(sale: SaleResponse, returning: list[ReturningLine]) -> list[Row]:
    changed = {part.line.id for part in returning}
    return [
        {"id": line.id, "returned": line.returned, "refunded": line.refunded}
        for line in sale.lines
        if line.id in changed
    ]
