"""Undoes a whole sale that nothing has come back of: its stock is back, and its money is owed."""

from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.contracts.stock import SaleVoided
from stockbuddy.stock.documents.sales.queries import find_sale
from stockbuddy.stock.documents.sales.schemas import VoidSale, SaleResponse
from stockbuddy.stock.errors import InvalidState
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.ledger import (
    DocumentChanges,
    Entry,
    LevelKey,
    MovementType,
    Posting,
    PostingResult,
    VersionCheck,
    row_of,
)


async def draft_void(context: PostingContext, sale_id: int, wanted: VoidSale) -> Posting:
    """Raises NotFound, WarehouseForbidden, InvalidState."""
    async with context.database.reading() as session:
        sale = await find_sale(session, sale_id)
    if sale is None:
        raise NotFound()
    await context.warehouse(sale.warehouse_id)
    if sale.status != "completed":
        raise InvalidState("sale", sale.status, ["completed"])
    entries = [
        Entry(
            LevelKey(line.product_id, sale.warehouse_id, line.lot),
            on_hand=line.quantity,
            movement_type=MovementType.RETURN,
            unit_cost=line.unit_cost,
            reference_number=sale.reference,
            notes=wanted.reason or f"void of {sale.number}",
            reverses_id=line.movement_id,
        )
        for line in sale.lines
    ]
    return Posting(
        entries,
        lambda result: _build_changes(result, sale, wanted),
        context.key,
        checks=[VersionCheck("sale", sale.id, sale.version)],
        document=f"sale/{sale.id}",
    )


def _build_changes(_: PostingResult, sale: SaleResponse, wanted: VoidSale) -> DocumentChanges:
    lines = [line.model_copy(update={"returned": line.quantity, "refunded": line.total}) for line in sale.lines]
    now = sale.model_copy(
        update={"version": sale.version + 1, "status": "voided", "refunded": sale.total, "lines": lines}
    )
    return DocumentChanges(
        StoredResponse(200, now.model_dump_json()),
        updates={
            "sale": [row_of(now, "id", "status", "refunded")],
            "sale_line": [row_of(line, "id", "returned", "refunded") for line in lines],
        },
        events=[SaleVoided(**dict(now), reason=wanted.reason)],
    )
