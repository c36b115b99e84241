"""Events of reservations."""

from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from stockbuddy.contracts.event import Event
from stockbuddy.contracts.numbers import Quantity


class ReservationLine(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    id: int
    product_id: int
    sku: str
    name: str
    warehouse_id: int
    lot: int = 0
    quantity: Quantity


class ReservationState(Event):
    """A reservation after the change, in the format of the API; `sale_id`: the sale that consumed it, if any."""

    subject_template: ClassVar[str] = "reservation/{id}"
    sequence_field: ClassVar[str | None] = "version"

    id: int
    version: int
    status: str
    external_ref: str | None = None
    notes: str | None = None
    sale_id: int | None = None
    created_by: int | None = None
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    lines: list[ReservationLine]


class ReservationCreated(ReservationState):
    type: ClassVar[str] = "stock.reservation.created"


class ReservationExtended(ReservationState):
    type: ClassVar[str] = "stock.reservation.extended"


class ReservationReleased(ReservationState):
    type: ClassVar[str] = "stock.reservation.released"


class ReservationCommitted(ReservationState):
    type: ClassVar[str] = "stock.reservation.committed"


class ReservationExpired(ReservationState):
    """Published when the reserved stock is released; the reservation is void from `expires_at` on."""

    type: ClassVar[str] = "stock.reservation.expired"
