"""Events of the stock about the documents that move or hold it: transfers, reservations, counts; and customers."""

from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from stockbuddy.contracts.event import Event
from stockbuddy.contracts.numbers import Money, Quantity


class TransferLine(BaseModel):
    """`in_transit` is what was shipped and has not arrived (`received`, `damaged`), come back or been written off."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: int
    product_id: int
    sku: str
    name: str
    lot: int = 0
    quantity: Quantity
    shipped: Quantity
    received: Quantity
    damaged: Quantity
    returned: Quantity
    written_off: Quantity
    in_transit: Quantity
    unit_cost: Money | None = None


class TransferState(Event):
    """A transfer as the API shows it after the change."""

    about: ClassVar[str] = "transfer/{id}"
    sequence_field: ClassVar[str | None] = "version"

    id: int
    version: int
    number: str
    status: str
    from_warehouse_id: int
    to_warehouse_id: int
    transfer_reference: str | None = None
    notes: str | None = None
    disposition: str | None = None
    created_by: int | None = None
    created_at: datetime
    shipped_at: datetime | None = None
    ended_at: datetime | None = None
    lines: list[TransferLine]


class TransferCreated(TransferState):
    """Its quantities are held at the source."""

    type: ClassVar[str] = "stock.transfer.created"


class TransferShipped(TransferState):
    type: ClassVar[str] = "stock.transfer.shipped"


class ArrivedLine(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    line_id: int
    product_id: int
    sku: str
    received: Quantity
    damaged: Quantity


class TransferReceived(TransferState):
    """`arrived` holds what came this time alone."""

    type: ClassVar[str] = "stock.transfer.received"

    arrived: list[ArrivedLine]


class TransferCancelled(TransferState):
    """`disposition` says what became of what was in transit."""

    type: ClassVar[str] = "stock.transfer.cancelled"


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

    about: ClassVar[str] = "reservation/{id}"
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


class ReservationMade(ReservationState):
    type: ClassVar[str] = "stock.reservation.made"


class ReservationExtended(ReservationState):
    type: ClassVar[str] = "stock.reservation.extended"


class ReservationReleased(ReservationState):
    type: ClassVar[str] = "stock.reservation.released"


class ReservationCommitted(ReservationState):
    type: ClassVar[str] = "stock.reservation.committed"


class ReservationExpired(ReservationState):
    """Said when the hold is taken off the level; it counted no longer from `expires_at` on."""

    type: ClassVar[str] = "stock.reservation.expired"


class CountLine(BaseModel):
    """`expected` is what the level held when it was frozen (or at `counted_at`, where the counter said when);
    `difference` is what the approval posted."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: int
    product_id: int
    sku: str
    name: str
    lot: int = 0
    expected: Quantity
    counted: Quantity | None = None
    counted_at: datetime | None = None
    counted_by: int | None = None
    difference: Quantity | None = None
    movement_id: int | None = None


class CountState(Event):
    """A counting session as the API shows it after the change."""

    about: ClassVar[str] = "stock_count/{id}"
    sequence_field: ClassVar[str | None] = "version"

    id: int
    version: int
    number: str
    status: str
    warehouse_id: int
    notes: str | None = None
    created_by: int | None = None
    created_at: datetime
    ended_by: int | None = None
    ended_at: datetime | None = None
    lines: list[CountLine]


class CountOpened(CountState):
    type: ClassVar[str] = "stock.count.opened"


class CountEntered(CountState):
    type: ClassVar[str] = "stock.count.entered"


class CountApproved(CountState):
    type: ClassVar[str] = "stock.count.approved"


class CountCancelled(CountState):
    type: ClassVar[str] = "stock.count.cancelled"


class CustomerState(Event):
    """A customer as they stand after the change."""

    about: ClassVar[str] = "customer/{customer_id}"
    sequence_field: ClassVar[str | None] = "version"

    customer_id: int
    version: int
    name: str
    email: str | None = None
    phone: str | None = None
    address: str | None = None
    notes: str | None = None


class CustomerCreated(CustomerState):
    type: ClassVar[str] = "stock.customer.created"


class CustomerUpdated(CustomerState):
    type: ClassVar[str] = "stock.customer.updated"


class CustomerDeleted(CustomerState):
    type: ClassVar[str] = "stock.customer.deleted"
