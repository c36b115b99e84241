"""Commits a reservation: sells the reserved stock, or posts it as an `out` movement."""

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.authentication import require
from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.contracts.stock import ReservationCommitted, SaleCompleted
from stockbuddy.stock.documents.reservations.lifecycle import (
    end_reservation,
    fulfilment_entries,
    load_active_reservation,
    require_not_expired,
    require_reserver,
    updated_row,
    version_check,
)
from stockbuddy.stock.documents.reservations.schemas import ReservationResponse
from stockbuddy.stock.documents.sales.create_sale import load_plan, to_posting
from stockbuddy.stock.documents.sales.schemas import (
    CommitReservation,
    CommittedReservationResponse,
    SaleCreate,
    SaleLineCreate,
    SaleResponse,
)
from stockbuddy.stock.errors import SeveralWarehouses
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.ledger import DocumentChanges, Posting, PostingResult, Purpose


async def plan_commit(context: PostingContext, reservation_id: int, body: CommitReservation) -> Posting:
    """Raises what `load_active_reservation` does, and Forbidden, SeveralWarehouses, UnknownCustomer, UnknownProduct."""
    reservation = await load_active_reservation(context, reservation_id)
    require(context.caller, Permission.STOCK_MOVE if body.as_ == "out" else Permission.SALE_CREATE)
    if body.as_ == "out":
        require_reserver(context, reservation)
        return _out_posting(context, reservation, body)
    return to_posting(await load_plan(context, _to_sale(reservation, body), reservation), _sale_response)


def _out_posting(context: PostingContext, reservation: ReservationResponse, body: CommitReservation) -> Posting:
    def build_changes(result: PostingResult) -> DocumentChanges:
        require_not_expired(reservation, result.recorded_at)
        committed = end_reservation(reservation, "committed", result.recorded_at)
        return DocumentChanges(
            StoredResponse(200, CommittedReservationResponse(**dict(committed)).model_dump_json()),
            updates={"reservation": [updated_row(committed)]},
            events=[ReservationCommitted(**dict(committed))],
        )

    return Posting(
        fulfilment_entries(reservation, reference_number=body.reference, notes=body.notes),
        build_changes,
        context.authority(Purpose.MOVEMENT),
        context.key,
        checks=[version_check(reservation)],
        document=f"reservation/{reservation.id}",
    )


def _to_sale(reservation: ReservationResponse, body: CommitReservation) -> SaleCreate:
    warehouse_ids = {line.warehouse_id for line in reservation.lines}
    if len(warehouse_ids) > 1:
        raise SeveralWarehouses()
    return SaleCreate(
        warehouse_id=warehouse_ids.pop(),
        lines=[
            SaleLineCreate(product_id=line.product_id, quantity=line.quantity, lot=line.lot)
            for line in reservation.lines
        ],
        reservation_id=reservation.id,
        **body.model_dump(exclude={"as_"}),
    )


def _sale_response(sale: SaleCompleted, reservation: ReservationResponse | None) -> StoredResponse:
    assert reservation is not None
    response = CommittedReservationResponse(**dict(reservation), sale=SaleResponse(**dict(sale)))
    return StoredResponse(200, response.model_dump_json())
