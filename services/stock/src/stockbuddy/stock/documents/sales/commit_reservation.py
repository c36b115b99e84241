"""Takes what was reserved: as a sale, or simply out of the stock."""

from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.contracts.stock import ReservationCommitted, SaleCompleted
from stockbuddy.stock.documents.reservations.lifecycle import (
    ended,
    guard_of,
    hold_at_hand,
    require_live,
    row_after,
    taking_out,
)
from stockbuddy.stock.documents.reservations.schemas import ReservationResponse
from stockbuddy.stock.documents.sales.create_sale import posting_of, prepare_sale
from stockbuddy.stock.documents.sales.schemas import CommitReservation, CommittedReservationResponse, SaleCreate, SaleLineCreate, SaleResponse
from stockbuddy.stock.errors import SeveralWarehouses
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.ledger import DocumentChanges, Posting, PostingResult


async def commit_reservation(context: PostingContext, reservation_id: int, commitment: CommitReservation) -> Posting:
    """Raises what `hold_at_hand` does, and SeveralWarehouses, UnknownCustomer, UnknownProduct."""
    hold = await hold_at_hand(context, reservation_id)
    if commitment.as_ == "out":
        return _out(context, hold, commitment)
    return posting_of(await prepare_sale(context, _sale_of(hold, commitment), hold), _tell, status=200)


def _out(context: PostingContext, hold: ReservationResponse, commitment: CommitReservation) -> Posting:
    def build_changes(result: PostingResult) -> DocumentChanges:
        require_live(hold, result.recorded_at)
        after = ended(hold, "committed", result.recorded_at)
        return DocumentChanges(
            StoredResponse(200, CommittedReservationResponse(**dict(after)).model_dump_json()),
            updates={"reservation": [row_after(after)]},
            events=[ReservationCommitted(**dict(after))],
        )

    entries = taking_out(hold, reference_number=commitment.reference, notes=commitment.notes)
    return Posting(entries, build_changes, context.key, checks=[guard_of(hold)], document=f"reservation/{hold.id}")


def _sale_of(hold: ReservationResponse, commitment: CommitReservation) -> SaleCreate:
    warehouses = {line.warehouse_id for line in hold.lines}
    if len(warehouses) > 1:
        raise SeveralWarehouses()
    return SaleCreate(
        warehouse_id=warehouses.pop(),
        lines=[SaleLineCreate(product_id=line.product_id, quantity=line.quantity, lot=line.lot) for line in hold.lines],
        reservation_id=hold.id,
        **commitment.model_dump(exclude={"as_"}),
    )


def _tell(sale: SaleCompleted, hold: ReservationResponse | None) -> str:
    assert hold is not None
    return CommittedReservationResponse(**dict(hold), sale=SaleResponse(**dict(sale))).model_dump_json()
