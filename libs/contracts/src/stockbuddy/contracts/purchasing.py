"""Events of the stock about what the shop spends: purchase orders and what arrives of them, expenses, reorder rules."""

from datetime import date, datetime
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

    about: ClassVar[str] = "purchase_order/{id}"
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


class ExpenseState(Event):
    """An expense as it stands after the change (or stood, when it is deleted)."""

    about: ClassVar[str] = "expense/{id}"
    sequence_field: ClassVar[str | None] = "version"

    id: int
    version: int
    category: str
    amount: Money
    incurred_on: date
    notes: str | None = None
    warehouse_id: int | None = None
    created_by: int | None = None
    created_at: datetime
    updated_at: datetime


class ExpenseCreated(ExpenseState):
    type: ClassVar[str] = "stock.expense.created"


class ExpenseUpdated(ExpenseState):
    type: ClassVar[str] = "stock.expense.updated"


class ExpenseDeleted(ExpenseState):
    type: ClassVar[str] = "stock.expense.deleted"


class ReorderRuleState(Event):
    """How a product is reordered for a warehouse; null leaves a figure to the forecast or to the default."""

    about: ClassVar[str] = "reorder_rule/{id}"
    sequence_field: ClassVar[str | None] = "version"

    id: int
    version: int
    product_id: int
    warehouse_id: int
    supplier_id: int | None = None
    reorder_point: Quantity | None = None
    safety_stock: Quantity | None = None
    lead_time_days: int | None = None
    cover_days: int | None = None
    minimum_quantity: Quantity | None = None
    pack_size: Quantity | None = None
    is_active: bool
    created_at: datetime
    updated_at: datetime


class ReorderRuleCreated(ReorderRuleState):
    type: ClassVar[str] = "stock.reorder_rule.created"


class ReorderRuleUpdated(ReorderRuleState):
    type: ClassVar[str] = "stock.reorder_rule.updated"


class ReorderRuleDeleted(ReorderRuleState):
    type: ClassVar[str] = "stock.reorder_rule.deleted"
