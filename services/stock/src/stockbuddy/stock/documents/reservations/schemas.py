"""Reservations on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from stockbuddy.chassis.fields import NOT_BOOLEAN, RequestBody
from stockbuddy.contracts.stock import ReservationState
from stockbuddy.stock.fields import Lot, Note, PositiveQuantity, Reference
from stockbuddy.stock.inventory.references import HasProductReference, HasWarehouseReference

MAX_RESERVATION_LINES = 500
DEFAULT_SECONDS = 900
LONGEST_SECONDS = 366 * 24 * 3600

Status = Literal["held", "released", "committed", "expired"]
Seconds = Annotated[int, Field(ge=1, le=LONGEST_SECONDS), NOT_BOOLEAN]


class ReservationLineCreate(HasProductReference, HasWarehouseReference):
    quantity: PositiveQuantity
    lot: Lot = 0


class ReservationCreate(RequestBody):
    """`expires_in` is in seconds."""

    lines: Annotated[list[ReservationLineCreate], Field(min_length=1, max_length=MAX_RESERVATION_LINES)]
    expires_in: Seconds = DEFAULT_SECONDS
    external_ref: Reference | None = None
    notes: Note | None = None


class ExtendReservation(RequestBody):
    """`expires_in` counts from now, in seconds."""

    expires_in: Seconds = DEFAULT_SECONDS


class ReservationResponse(ReservationState):
    """A reservation with its lines. It is `expired` from the moment its time is up."""
