"""Request and response models of reservations."""

from typing import Annotated, Literal

from pydantic import Field

from stockbuddy.chassis.fields import MAX_ID, Id, Integer, RequestBody
from stockbuddy.chassis.http.pagination import PageQuery
from stockbuddy.contracts.stock import ReservationState
from stockbuddy.stock.fields import Lot, Note, PositiveQuantity, Reference
from stockbuddy.stock.inventory.references import HasProductReference, HasWarehouseReference

MAX_RESERVATION_LINES = 500
DEFAULT_TTL_SECONDS = 900

ReservationStatus = Literal["held", "released", "committed", "expired"]
TtlSeconds = Annotated[Integer, Field(ge=1, le=MAX_ID)]
"""Limited further by the setting MAX_RESERVATION_SECONDS."""


class ReservationFilter(PageQuery):
    status: ReservationStatus | None = None
    product_id: Id | None = None
    warehouse_id: Id | None = None
    external_ref: Reference | None = None
    created_by: Id | None = None
    sort_by: Literal["created_desc", "created_asc"] = "created_desc"


class ReservationLineCreate(HasProductReference, HasWarehouseReference):
    quantity: PositiveQuantity
    lot: Lot = 0


class ReservationCreate(RequestBody):
    """`expires_in` is in seconds."""

    lines: Annotated[list[ReservationLineCreate], Field(min_length=1, max_length=MAX_RESERVATION_LINES)]
    expires_in: TtlSeconds = DEFAULT_TTL_SECONDS
    external_ref: Reference | None = None
    notes: Note | None = None


class ExtendReservation(RequestBody):
    """`expires_in` is in seconds from now."""

    expires_in: TtlSeconds = DEFAULT_TTL_SECONDS


class ReservationResponse(ReservationState):
    """A reservation with its lines. Its status is `expired` from `expires_at` on."""
