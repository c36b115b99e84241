"""Voids a sale without returns: restocks every line and sets the refund due to the total paid."""

from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.contracts.stock import SaleVoided
from stockbuddy.stock.documents.sales.queries import load_sale
from stockbuddy.stock.documents.sales.schemas import SaleResponse, VoidSale
from stockbuddy.stock.errors import InvalidState
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.ledger import (
    DocumentChanges,
    Entry,
    LevelKey,
    MovementType,
    Posting,
    Purpose,
    VersionCheck,
    row_of,
)


async def plan_void(context: PostingContext, sale_id: int, body: VoidSale) -> Posting:
    """Raises NotFound, WarehouseForbidden, InvalidState."""
    sale = await load_sale(context, sale_id)
    if sale.status != "completed":
        raise InvalidState("sale", sale.status, ["completed"])
    return Posting(
        _entries(sale, body),
        lambda _: _build_changes(sale, body),
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
            reference_number=sale.reference,
            notes=body.reason or f"void of {sale.number}",
            reverses_id=line.movement_id,
        )
        for line in sale.lines
    ]


def _build_changes(sale: SaleResponse, body: VoidSale) -> DocumentChanges:
    lines = [line.model_copy(update={"returned": line.quantity, "refunded": line.total}) for line in sale.lines]
    voided = sale.model_copy(
        update={"version": sale.version + 1, "status": "voided", "refunded": sale.total, "lines": lines}
    )
    return DocumentChanges(
        StoredResponse(200, voided.model_dump_json()),
        updates={
            "sale": [row_of(voided, "id", "status", "refunded")],
            "sale_line": [row_of(line, "id", "returned", "refunded") for line in lines],
        },
        events=[SaleVoided(**dict(voided), reason=body.reason)],
    )
