"""Events of transfers between warehouses."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict

from stockbuddy.contracts.event import Event
from stockbuddy.contracts.field_permissions import COST
from stockbuddy.contracts.numbers import Money, Quantity, Value


class TransferLine(BaseModel):
    """`in_transit`: shipped and not yet received, damaged, returned or written off; `value_in_transit`: its exact
    value."""

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
    unit_cost: Annotated[Money | None, COST] = None
    value_in_transit: Annotated[Value, COST] = Decimal(0)


class TransferState(Event):
    """A transfer after the change, in the format of the API."""

    subject_template: ClassVar[str] = "transfer/{id}"
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
    """The transfer was created: its quantities are reserved at the source."""

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
    """`arrived`: the quantities of this receipt only."""

    type: ClassVar[str] = "stock.transfer.received"

    arrived: list[ArrivedLine]


class TransferCancelled(TransferState):
    """`disposition`: `return` or `write_off` of the quantities in transit."""

    type: ClassVar[str] = "stock.transfer.cancelled"
