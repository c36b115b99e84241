"""Events of purchase orders."""

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict

from stockbuddy.contracts.event import Event
from stockbuddy.contracts.field_permissions import COST
from stockbuddy.contracts.numbers import Money, Quantity


class PurchaseLine(BaseModel):
    """`received` may exceed `quantity` after an over-receipt; `outstanding` still counts as incoming."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: int
    product_id: int
    sku: str
    name: str
    quantity: Quantity
    unit_cost: Annotated[Money, COST]
    total: Annotated[Money, COST]
    received: Quantity
    outstanding: Quantity


class PurchaseState(Event):
    """A purchase order after the change, in the format of the API. `total`: value of the ordered quantities.
    `received_total`: value of the received quantities at the unit costs of their receipts."""

    subject_template: ClassVar[str] = "purchase_order/{id}"
    sequence_field: ClassVar[str | None] = "version"

    id: int
    version: int
    number: str
    status: str
    supplier_id: int
    supplier: str
    warehouse_id: int
    reference: str | None = None
    notes: str | None = None
    expected_at: datetime | None = None
    total: Annotated[Money, COST]
    received_total: Annotated[Money, COST]
    created_by: int | None = None
    created_at: datetime
    updated_at: datetime
    ordered_at: datetime | None = None
    received_at: datetime | None = None
    cancelled_at: datetime | None = None
    lines: list[PurchaseLine]


class PurchaseDrafted(PurchaseState):
    type: ClassVar[str] = "stock.purchase.drafted"


class PurchaseUpdated(PurchaseState):
    """A draft was changed."""

    type: ClassVar[str] = "stock.purchase.updated"


class PurchaseOrdered(PurchaseState):
    """The order was placed: its lines count as incoming."""

    type: ClassVar[str] = "stock.purchase.ordered"


class ReceivedLine(BaseModel):
    """`line_id`: the order's line; `unit_cost`: the unit cost of this receipt."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: int
    line_id: int
    product_id: int
    sku: str
    quantity: Quantity
    unit_cost: Annotated[Money, COST]
    movement_id: int


class PurchaseReceived(PurchaseState):
    """`receipt`: the lines of this receipt only."""

    type: ClassVar[str] = "stock.purchase.received"

    receipt_id: int
    receipt: list[ReceivedLine]


class PurchaseCancelled(PurchaseState):
    """The order was cancelled: outstanding quantities no longer count as incoming."""

    type: ClassVar[str] = "stock.purchase.cancelled"
