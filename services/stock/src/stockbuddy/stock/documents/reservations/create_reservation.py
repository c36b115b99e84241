"""Creates a reservation, all of its lines or none."""

from datetime import timedelta

from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.contracts.stock import ReservationCreated, ReservationLine
from stockbuddy.stock.documents.lines import header_row, line_rows
from stockbuddy.stock.documents.reservations.lifecycle import require_lifetime
from stockbuddy.stock.documents.reservations.schemas import ReservationCreate
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.ledger import DocumentChanges, Entry, LevelKey, Posting, PostingResult, Purpose
from stockbuddy.stock.replicas.products.activity import require_active


async def plan_reservation(context: PostingContext, body: ReservationCreate) -> Posting:
    """Raises UnknownProduct, ProductInactive, UnknownWarehouse, WarehouseForbidden, Unprocessable; the ledger:
    ReservedShareExceeded."""
    require_lifetime(context, body.expires_in)
    lines = await _load_lines(context, body)
    return Posting(
        [Entry(LevelKey(line.product_id, line.warehouse_id, line.lot), reserved=line.quantity) for line in lines],
        lambda result: _build_changes(result, context, body, lines),
        context.authority(Purpose.RESERVATION),
        context.key,
        new_ids={"reservation": 1, "reservation_line": len(lines)},
    )


async def _load_lines(context: PostingContext, body: ReservationCreate) -> list[ReservationLine]:
    products = await context.products.load([line.product_reference for line in body.lines])
    require_active(products.values())
    lines = []
    for line in body.lines:
        product = products[line.product_reference]
        warehouse = await context.warehouse(line.warehouse_reference)
        lines.append(
            ReservationLine(
                id=0,  # drawn by the ledger
                product_id=product.id,
                sku=product.sku,
                name=product.name,
                warehouse_id=warehouse.id,
                lot=line.lot,
                quantity=line.quantity,
            )
        )
    return lines


def _build_changes(
    result: PostingResult, context: PostingContext, body: ReservationCreate, lines: list[ReservationLine]
) -> DocumentChanges:
    reservation = ReservationCreated(
        id=result.new_id("reservation"),
        version=1,
        status="held",
        external_ref=body.external_ref,
        notes=body.notes,
        created_by=context.caller.user_id,
        created_at=result.recorded_at,
        expires_at=result.recorded_at + timedelta(seconds=body.expires_in),
        lines=[
            line.model_copy(update={"id": line_id})
            for line_id, line in zip(result.ids["reservation_line"], lines, strict=True)
        ],
    )
    return DocumentChanges(
        StoredResponse(201, reservation.model_dump_json()),
        inserts={
            "reservation": [header_row(reservation)],
            "reservation_line": line_rows(reservation.lines, reservation_id=reservation.id),
        },
        events=[reservation],
    )
