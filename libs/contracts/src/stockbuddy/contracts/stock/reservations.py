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
    """A reservation as the API shows it after the change; `sale_id` is what it became, if that was a sale."""

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
    """Said when the hold is taken off the level; it counted no longer from `expires_at` on."""

    type: ClassVar[str] = "stock.reservation.expired"
