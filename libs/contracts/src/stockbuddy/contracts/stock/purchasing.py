"""Events of purchase orders."""

from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from stockbuddy.contracts.event import Event
from stockbuddy.contracts.numbers import Money, Quantity


class PurchaseLine(BaseModel):
    """`received` may exceed `quantity` after an over-receipt; `outstanding` is what still counts as incoming."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: int
    product_id: int
    sku: str
    name: str
    quantity: Quantity
    unit_cost: Money
    total: Money
    received: Quantity
    outstanding: Quantity


class PurchaseState(Event):
    """A purchase order as the API shows it after the change. `total` is that of what was ordered, `received_total`
    that of what has arrived, at the costs at which it did."""

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
    total: Money
    received_total: Money
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
    """From now on its lines count as incoming."""

    type: ClassVar[str] = "stock.purchase.ordered"


class ReceivedLine(BaseModel):
    """`line_id` is the order's line; `unit_cost` what each unit of it did cost in the end."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: int
    line_id: int
    product_id: int
    sku: str
    quantity: Quantity
    unit_cost: Money
    movement_id: int


class PurchaseReceived(PurchaseState):
    """`receipt` holds the lines of this receipt alone."""

    type: ClassVar[str] = "stock.purchase.received"

    receipt_id: int
    receipt: list[ReceivedLine]


class PurchaseCancelled(PurchaseState):
    """What had not arrived no longer counts as incoming."""

    type: ClassVar[str] = "stock.purchase.cancelled"
