"""Holds stock: every line of a reservation or none of it."""

from datetime import timedelta

from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.contracts.stock import ReservationCreated, ReservationLine
from stockbuddy.stock.documents.reservations.schemas import ReservationCreate
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.ledger import DocumentChanges, Entry, LevelKey, Posting, PostingResult, row_of


async def draft_reservation(context: PostingContext, reservation: ReservationCreate) -> Posting:
    """Raises UnknownProduct, UnknownWarehouse, WarehouseForbidden."""
    known = await context.products.load([line.product_reference for line in reservation.lines])
    lines = []
    for line in reservation.lines:
        product = known[line.product_reference]
        warehouse = await context.warehouse(line.warehouse_reference)
        # Its id is known once the ledger has drawn it.
        lines.append(
            ReservationLine(
                id=0,
                product_id=product.id,
                sku=product.sku,
                name=product.name,
                warehouse_id=warehouse.id,
                lot=line.lot,
                quantity=line.quantity,
            )
        )
    return Posting(
        [Entry(LevelKey(line.product_id, line.warehouse_id, line.lot), reserved=line.quantity) for line in lines],
        lambda result: _build_changes(result, context, reservation, lines),
        context.key,
        new_ids={"reservation": 1, "reservation_line": len(lines)},
    )


def _build_changes(
    result: PostingResult, context: PostingContext, reservation: ReservationCreate, lines: list[ReservationLine]
) -> DocumentChanges:
    event = ReservationCreated(
        id=result.ids["reservation"][0],
        version=1,
        status="held",
        external_ref=reservation.external_ref,
        notes=reservation.notes,
        created_by=context.caller.user_id,
        created_at=result.recorded_at,
        expires_at=result.recorded_at + timedelta(seconds=reservation.expires_in),
        lines=[
            line.model_copy(update={"id": line_id})
            for line_id, line in zip(result.ids["reservation_line"], lines, strict=True)
        ],
    )
    header = [name for name in ReservationCreated.model_fields if name != "lines"]
    rows = [
        {"reservation_id": event.id, "position": position, **row_of(line, *ReservationLine.model_fields)}
        for position, line in enumerate(event.lines)
    ]
    return DocumentChanges(
        StoredResponse(201, event.model_dump_json()),
        inserts={"reservation": [row_of(event, *header)], "reservation_line": rows},
        events=[event],
    )
