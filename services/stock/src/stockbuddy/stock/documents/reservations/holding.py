"""Holds stock: every line of a reservation or none of it."""

from datetime import timedelta

from stockbuddy.chassis.http.idempotency import Answer
from stockbuddy.contracts.stock import ReservationCreated, ReservationLine
from stockbuddy.stock.documents.reservations.schemas import NewReservation
from stockbuddy.stock.http.posting_context import Desk
from stockbuddy.stock.ledger import Conclusion, Effect, Entry, LevelKey, Posting, row_of


async def draft_reservation(desk: Desk, reservation: NewReservation) -> Posting:
    """Raises UnknownProduct, UnknownWarehouse, NotYourWarehouse."""
    known = await desk.products.find([line.product_reference for line in reservation.lines])
    lines = []
    for line in reservation.lines:
        product = known[line.product_reference]
        warehouse = await desk.warehouse(line.warehouse_reference)
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
        lambda effect: _conclude(effect, desk, reservation, lines),
        desk.key,
        new_ids={"reservation": 1, "reservation_line": len(lines)},
    )


def _conclude(effect: Effect, desk: Desk, reservation: NewReservation, lines: list[ReservationLine]) -> Conclusion:
    event = ReservationCreated(
        id=effect.ids["reservation"][0],
        version=1,
        status="held",
        external_ref=reservation.external_ref,
        notes=reservation.notes,
        created_by=desk.caller.user_id,
        created_at=effect.recorded_at,
        expires_at=effect.recorded_at + timedelta(seconds=reservation.expires_in),
        lines=[
            line.model_copy(update={"id": line_id})
            for line_id, line in zip(effect.ids["reservation_line"], lines, strict=True)
        ],
    )
    header = [name for name in ReservationCreated.model_fields if name != "lines"]
    rows = [
        {"reservation_id": event.id, "position": position, **row_of(line, *ReservationLine.model_fields)}
        for position, line in enumerate(event.lines)
    ]
    return Conclusion(
        Answer(201, event.model_dump_json()),
        inserts={"reservation": [row_of(event, *header)], "reservation_line": rows},
        events=[event],
    )
