"""Levels on the wire."""

from datetime import datetime

from pydantic import BaseModel

from stockbuddy.contracts.numbers import Money, Quantity
from stockbuddy.stock.fields import Lot, Note, QuantityNotNegative, Reference
from stockbuddy.stock.inventory.references import HasProductReference, HasWarehouseReference


class NewCount(HasProductReference, HasWarehouseReference):
    """`expected_quantity` is what the level was believed to hold; null, on purpose, sets it whatever it holds."""

    quantity: QuantityNotNegative
    expected_quantity: Quantity | None
    reason: Note | None = None
    reference_number: Reference | None = None
    lot: Lot = 0


class LevelAfter(BaseModel):
    """A level once it has been set; `movement_id` is null when it held that quantity already."""

    product_id: int
    sku: str
    warehouse_id: int
    lot: int
    before: Quantity
    on_hand: Quantity
    reserved: Quantity
    available: Quantity
    average_cost: Money | None
    movement_id: int | None
    updated_at: datetime


class LevelView(BaseModel):
    """`available` is what may be sold or promised: on hand and not reserved. Of a past moment (`as_of`) only what was
    on hand is known, and what it cost."""

    product_id: int
    sku: str
    name: str
    category: str | None
    warehouse_id: int
    warehouse_code: str
    lot: int
    on_hand: Quantity
    reserved: Quantity | None
    available: Quantity | None
    incoming: Quantity | None
    low_stock_threshold: Quantity
    average_cost: Money | None
    updated_at: datetime
