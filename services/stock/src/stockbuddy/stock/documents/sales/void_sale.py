"""Voids a sale without returns: restocks every line at its cost and sets the refund due to the total paid."""

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.contracts.stock import SaleLine, SaleVoided
from stockbuddy.stock.documents.responses import document_response
from stockbuddy.stock.documents.sales.costs import line_cost, with_totals
from stockbuddy.stock.documents.sales.queries import load_sale
from stockbuddy.stock.documents.sales.schemas import SaleResponse, VoidSale
from stockbuddy.stock.errors import InvalidState, SaleForbidden
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
    VersionCheck,
    row_of,
)


async def plan_void(context: PostingContext, sale_id: int, body: VoidSale) -> Posting:
    """Raises NotFound, WarehouseForbidden, SaleForbidden, InvalidState."""
    sale = await load_sale(context, sale_id)
    if sale.sold_by != context.caller.user_id and not context.caller.may(Permission.SALE_VOID_ANY):
        raise SaleForbidden()
    if sale.status != "completed":
        raise InvalidState("sale", sale.status, ["completed"])
    return Posting(
        _entries(sale, body),
        lambda result: _build_changes(result, sale, body),
        context.authority(Purpose.SALE),
        context.key,
        checks=[VersionCheck("sale", sale.id, sale.version)],
        document=f"sale/{sale.id}",
    )


def _entries(sale: SaleResponse, body: VoidSale) -> list[Entry]:
    return [
        Entry(
            LevelKey(line.product_id, sale.warehouse_id, line.lot),
            on_hand=line.quantity,
            movement_type=MovementType.RETURN,
            unit_cost=line.unit_cost,
            value=line_cost(line),
            reference_number=sale.reference,
            notes=body.reason or f"void of {sale.number}",
            reverses_id=line.movement_id,
        )
        for line in sale.lines
    ]


def _build_changes(result: PostingResult, sale: SaleResponse, body: VoidSale) -> DocumentChanges:
    lines = [_void_line(line) for line in sale.lines]
    voided = with_totals(sale, lines).model_copy(
        update={"version": sale.version + 1, "status": "voided", "voided_at": result.recorded_at}
    )
    return DocumentChanges(
        document_response(200, voided),
        updates={
            "sale": [row_of(voided, "id", "status", "refunded", "cost", "profit", "voided_at")],
            "sale_line": [row_of(line, "id", "returned", "refunded", "cost_returned") for line in lines],
        },
        events=[SaleVoided(**dict(voided), reason=body.reason)],
    )


def _void_line(line: SaleLine) -> SaleLine:
    return line.model_copy(
        update={"returned": line.quantity, "refunded": line.total, "cost_returned": line_cost(line) or ZERO}
    )
