"""State changes of reservations: release, extend, expire; and the steps that a sale or an `out` movement shares."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.errors import Unprocessable
from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.stock import ReservationExpired, ReservationExtended, ReservationReleased, ReservationState
from stockbuddy.stock.documents.reservations.queries import get_reservation
from stockbuddy.stock.documents.reservations.schemas import ExtendReservation, ReservationResponse
from stockbuddy.stock.errors import InvalidState, ReservationAlreadyExpired, ReservationForbidden
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.ledger import (
    Authority,
    DocumentChanges,
    Entry,
    LevelKey,
    MovementType,
    Posting,
    PostingResult,
    Purpose,
    Row,
    VersionCheck,
    row_of,
)

BuildChanges = Callable[[PostingResult], DocumentChanges]


async def load_active_reservation(context: PostingContext, reservation_id: int) -> ReservationResponse:
    """The reservation, if it is active and the caller may change stock in its warehouses.
    Raises NotFound, WarehouseForbidden, ReservationAlreadyExpired, InvalidState."""
    async with context.database.reading() as session:
        reservation = await get_reservation(session, reservation_id)
    for warehouse_id in {line.warehouse_id for line in reservation.lines}:
        await context.warehouse(warehouse_id)
    if reservation.status == "expired":
        raise ReservationAlreadyExpired()
    if reservation.status != "held":
        raise InvalidState("reservation", reservation.status, ["held"])
    return reservation


def require_reserver(context: PostingContext, reservation: ReservationResponse) -> None:
    """For steps that end or change a reservation other than by handing over what was reserved.
    Raises ReservationForbidden."""
    if not context.caller.may(Permission.RESERVATION_RELEASE_ANY) and reservation.created_by != context.caller.user_id:
        raise ReservationForbidden()


def require_lifetime(context: PostingContext, seconds: int, created_at: datetime | None = None) -> None:
    """Limit the time until a reservation ends, counted from its creation unless the caller may release all.
    Raises Unprocessable."""
    limit = context.reservation_limits.max_seconds
    may_release_all = context.caller.may(Permission.RESERVATION_RELEASE_ANY)
    age = 0 if created_at is None or may_release_all else (clock.now() - created_at).total_seconds()
    if seconds + age > limit:
        raise Unprocessable.field(
            "expires_in", f"a reservation lasts at most {limit} seconds", "reservation_too_long", seconds=limit
        )


async def plan_release(context: PostingContext, reservation_id: int) -> Posting:
    """Raises ReservationForbidden, and what `load_active_reservation` does."""
    reservation = await load_active_reservation(context, reservation_id)
    require_reserver(context, reservation)

    def build_changes(result: PostingResult) -> DocumentChanges:
        return _to_changes(ReservationReleased, end_reservation(reservation, "released", result.recorded_at))

    return _to_posting(context, reservation, release_entries(reservation), build_changes)


async def plan_extension(context: PostingContext, reservation_id: int, body: ExtendReservation) -> Posting:
    """Raises ReservationForbidden, Unprocessable, and what `load_active_reservation` does."""
    reservation = await load_active_reservation(context, reservation_id)
    require_reserver(context, reservation)
    require_lifetime(context, body.expires_in, reservation.created_at)

    def build_changes(result: PostingResult) -> DocumentChanges:
        require_not_expired(reservation, result.recorded_at)
        expires_at = result.recorded_at + timedelta(seconds=body.expires_in)
        return _to_changes(ReservationExtended, _transition(reservation, expires_at=expires_at))

    return _to_posting(context, reservation, [], build_changes)


def _to_posting(
    context: PostingContext, reservation: ReservationResponse, entries: list[Entry], build_changes: BuildChanges
) -> Posting:
    authority = context.authority(Purpose.RESERVATION)
    return Posting(entries, build_changes, authority, context.key, checks=[version_check(reservation)])


def expiry_posting(reservation: ReservationResponse) -> Posting:
    """Releases the stock of an expired reservation; stale if that has been extended meanwhile."""

    def build_changes(result: PostingResult) -> DocumentChanges:
        return _to_changes(ReservationExpired, end_reservation(reservation, "expired", result.recorded_at))

    authority = Authority(Purpose.RESERVATION)
    return Posting(release_entries(reservation), build_changes, authority, checks=[version_check(reservation)])


def release_entries(reservation: ReservationResponse) -> list[Entry]:
    return [
        Entry(LevelKey(line.product_id, line.warehouse_id, line.lot), reserved=-line.quantity)
        for line in reservation.lines
    ]


def fulfilment_entries(reservation: ReservationResponse, **values: Any) -> list[Entry]:
    """Post the reserved stock as `out` movements; `values` are further fields of the entries."""
    return [
        Entry(
            LevelKey(line.product_id, line.warehouse_id, line.lot),
            on_hand=-line.quantity,
            reserved=-line.quantity,
            movement_type=MovementType.OUT,
            **values,
        )
        for line in reservation.lines
    ]


def require_not_expired(reservation: ReservationResponse, now: datetime) -> None:
    """Checked again under the locks, since the reservation may have expired after it was loaded.
    Raises ReservationAlreadyExpired."""
    if reservation.expires_at <= now:
        raise ReservationAlreadyExpired()


def version_check(reservation: ReservationResponse) -> VersionCheck:
    return VersionCheck("reservation", reservation.id, reservation.version)


def end_reservation(
    reservation: ReservationResponse, status: str, now: datetime, *, sale_id: int | None = None
) -> ReservationResponse:
    return _transition(reservation, status=status, ended_at=now, sale_id=sale_id)


def updated_row(reservation: ReservationResponse) -> Row:
    return row_of(reservation, "id", "status", "expires_at", "ended_at", "sale_id")


def _transition(reservation: ReservationResponse, **values: Any) -> ReservationResponse:
    return reservation.model_copy(update={"version": reservation.version + 1, **values})


def _to_changes(event: type[ReservationState], reservation: ReservationResponse) -> DocumentChanges:
    return DocumentChanges(
        StoredResponse(200, reservation.model_dump_json()),
        updates={"reservation": [updated_row(reservation)]},
        events=[event(**dict(reservation))],
    )
