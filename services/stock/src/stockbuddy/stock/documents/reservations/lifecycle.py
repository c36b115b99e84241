"""Lets holds go, extends them, and ends those whose time is up."""

from datetime import datetime, timedelta
from typing import Any

from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.contracts.stock import (
    ReservationExpired,
    ReservationExtended,
    ReservationReleased,
    ReservationState,
)
from stockbuddy.stock.documents.reservations.queries import find_reservation
from stockbuddy.stock.documents.reservations.schemas import ExtendReservation, ReservationResponse
from stockbuddy.stock.errors import InvalidState, ReservationAlreadyExpired
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


async def hold_at_hand(context: PostingContext, reservation_id: int) -> ReservationResponse:
    """A hold that still counts, for a caller who may change stock where it lies.
    Raises NotFound, InvalidState, ReservationAlreadyExpired, WarehouseForbidden."""
    async with context.database.reading() as session:
        hold = await find_reservation(session, reservation_id)
    if hold is None:
        raise NotFound()
    for warehouse_id in {line.warehouse_id for line in hold.lines}:
        await context.warehouse(warehouse_id)
    if hold.status == "expired":
        raise ReservationAlreadyExpired()
    if hold.status != "held":
        raise InvalidState("reservation", hold.status, ["held"])
    return hold


async def release(context: PostingContext, reservation_id: int) -> Posting:
    hold = await hold_at_hand(context, reservation_id)

    def build_changes(result: PostingResult) -> DocumentChanges:
        return told(ReservationReleased, ended(hold, "released", result.recorded_at))

    return Posting(letting_go(hold), build_changes, context.key, checks=[guard_of(hold)])


async def extend(context: PostingContext, reservation_id: int, extension: ExtendReservation) -> Posting:
    hold = await hold_at_hand(context, reservation_id)

    def build_changes(result: PostingResult) -> DocumentChanges:
        require_live(hold, result.recorded_at)
        expires_at = result.recorded_at + timedelta(seconds=extension.expires_in)
        return told(ReservationExtended, changed(hold, expires_at=expires_at))

    return Posting([], build_changes, context.key, checks=[guard_of(hold)])


def expire(hold: ReservationResponse) -> Posting:
    """Take an overdue hold off its levels; refused should it have been extended meanwhile (its version tells)."""

    def build_changes(result: PostingResult) -> DocumentChanges:
        return told(ReservationExpired, ended(hold, "expired", result.recorded_at))

    return Posting(letting_go(hold), build_changes, checks=[guard_of(hold)])


def letting_go(hold: ReservationResponse) -> list[Entry]:
    return [
        Entry(LevelKey(line.product_id, line.warehouse_id, line.lot), reserved=-line.quantity) for line in hold.lines
    ]


def taking_out(hold: ReservationResponse, **values: Any) -> list[Entry]:
    """What was held leaves the stock."""
    return [
        Entry(
            LevelKey(line.product_id, line.warehouse_id, line.lot),
            on_hand=-line.quantity,
            reserved=-line.quantity,
            movement_type=MovementType.OUT,
            **values,
        )
        for line in hold.lines
    ]


def require_live(hold: ReservationResponse, now: datetime) -> None:
    """Raises ReservationAlreadyExpired when its time came while this was being decided."""
    if hold.expires_at <= now:
        raise ReservationAlreadyExpired()


def guard_of(hold: ReservationResponse) -> VersionCheck:
    return VersionCheck("reservation", hold.id, hold.version)


def changed(hold: ReservationResponse, **values: Any) -> ReservationResponse:
    return hold.model_copy(update={"version": hold.version + 1, **values})


def ended(hold: ReservationResponse, status: str, now: datetime, *, sale_id: int | None = None) -> ReservationResponse:
    return changed(hold, status=status, ended_at=now, sale_id=sale_id)


def told(event: type[ReservationState], after: ReservationResponse) -> DocumentChanges:
    """The reservation as it is now: written, said and stored_response."""
    return DocumentChanges(
        StoredResponse(200, after.model_dump_json()),
        updates={"reservation": [row_after(after)]},
        events=[event(**dict(after))],
    )


def row_after(after: ReservationResponse) -> dict[str, Any]:
    return dict(row_of(after, "id", "status", "expires_at", "ended_at", "sale_id"))
