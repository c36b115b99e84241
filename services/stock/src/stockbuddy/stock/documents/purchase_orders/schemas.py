"""Request and response models of purchase orders."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StrictBool

from stockbuddy.chassis.fields import Id, Omittable, RequestBody, UtcTime
from stockbuddy.contracts.stock import PurchaseState, ReceivedLine
from stockbuddy.stock.documents.allocation import HasLineReference
from stockbuddy.stock.fields import Note, PastTime, PositiveQuantity, Price, Reference, Search
from stockbuddy.stock.inventory.references import HasProductReference, HasWarehouseReference
from stockbuddy.stock.periods import PeriodFilter

MAX_ORDER_LINES = 1000

PurchaseOrderStatus = Literal["draft", "ordered", "partially_received", "received", "cancelled"]


class PurchaseOrderFilter(PeriodFilter):
    """`from` and `to` select `created_at` in a half-open interval; `search` matches the number, the reference, the
    supplier's name, and the lines' SKU and product name."""

    status: PurchaseOrderStatus | None = None
    supplier_id: Id | None = None
    warehouse_id: Id | None = None
    product_id: Id | None = None
    search: Search | None = None
    sort_by: Literal["created_desc", "created_asc"] = "created_desc"


class PurchaseOrderLineCreate(HasProductReference):
    """`unit_cost` defaults to the product's `cost_price`."""

    quantity: PositiveQuantity
    unit_cost: Price | None = None


PurchaseLines = Annotated[list[PurchaseOrderLineCreate], Field(min_length=1, max_length=MAX_ORDER_LINES)]


class PurchaseOrderCreate(HasWarehouseReference):
    supplier_id: Id
    lines: PurchaseLines
    reference: Reference | None = None
    notes: Note | None = None
    expected_at: UtcTime | None = None


class PurchaseOrderUpdate(RequestBody):
    """Omitted fields keep their value; `lines` replaces all lines."""

    supplier_id: Omittable[Id]
    lines: Omittable[PurchaseLines]
    reference: Omittable[Reference | None]
    notes: Omittable[Note | None]
    expected_at: Omittable[UtcTime | None]


class PurchaseOrderResponse(PurchaseState):
    """A purchase order with its lines."""


class ReceivePurchaseOrderLine(HasLineReference):
    """`unit_cost` defaults to that of the line."""

    quantity: PositiveQuantity
    unit_cost: Price | None = None


class ReceivePurchaseOrder(RequestBody):
    """Without `lines`, everything outstanding. `allow_over_receipt` accepts more than that."""

    lines: Annotated[list[ReceivePurchaseOrderLine] | None, Field(min_length=1, max_length=MAX_ORDER_LINES)] = None
    allow_over_receipt: StrictBool = False
    reference: Reference | None = None
    notes: Note | None = None
    occurred_at: PastTime | None = None


class ReceivedPurchaseOrderResponse(PurchaseOrderResponse):
    """The order after a receipt, and the lines of the receipt."""

    receipt_id: int
    receipt: list[ReceivedLine]


class PurchaseReceiptResponse(BaseModel):
    """A receipt of an order."""

    id: int
    purchase_order_id: int
    reference: str | None
    notes: str | None
    performed_by: int | None
    occurred_at: datetime
    recorded_at: datetime
    lines: list[ReceivedLine]
