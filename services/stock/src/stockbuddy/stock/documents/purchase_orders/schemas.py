"""Purchase orders on the wire."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, StrictBool, model_validator

from stockbuddy.chassis.fields import Id, RequestBody, UtcTime
from stockbuddy.contracts.stock import PurchaseState, ReceivedLine
from stockbuddy.stock.fields import Note, PastTime, PositiveQuantity, Price, Reference, Sku
from stockbuddy.stock.inventory.references import HasProductReference, HasWarehouseReference

MAX_ORDER_LINES = 1000

Status = Literal["draft", "ordered", "partially_received", "received", "cancelled"]


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
    """What is left out stays as it is; `lines` replaces them all."""

    supplier_id: Id | None = None
    lines: PurchaseLines | None = None
    reference: Reference | None = None
    notes: Note | None = None
    expected_at: UtcTime | None = None


class PurchaseOrderResponse(PurchaseState):
    """A purchase order with its lines."""


class ReceivePurchaseOrderLine(RequestBody):
    """`line_id` names a line of the order; `product_id` (or `sku`) all of its lines of that product, in order.
    `unit_cost` defaults to what was ordered."""

    line_id: Id | None = None
    product_id: Id | None = None
    sku: Sku | None = None
    quantity: PositiveQuantity
    unit_cost: Price | None = None

    @model_validator(mode="after")
    def names_one_line(self) -> Self:
        if sum(value is not None for value in (self.line_id, self.product_id, self.sku)) != 1:
            raise ValueError("name the line by line_id, product_id or sku")
        return self


class ReceivePurchaseOrder(RequestBody):
    """Without `lines`, everything that is still to come."""

    lines: Annotated[list[ReceivePurchaseOrderLine] | None, Field(min_length=1, max_length=MAX_ORDER_LINES)] = None
    allow_over_receipt: StrictBool = False
    reference: Reference | None = None
    notes: Note | None = None
    occurred_at: PastTime | None = None


class ReceivedPurchaseOrderResponse(PurchaseOrderResponse):
    """The order after a receipt, and what has arrived with it."""

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
