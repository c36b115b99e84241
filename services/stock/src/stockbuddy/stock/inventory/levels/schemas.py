"""Request and response models of setting a level."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel

from stockbuddy.contracts.field_permissions import COST
from stockbuddy.contracts.numbers import Money, Quantity, Value
from stockbuddy.stock.fields import Lot, Note, QuantityNotNegative, Reference
from stockbuddy.stock.inventory.references import HasProductReference, HasWarehouseReference


class SetLevel(HasProductReference, HasWarehouseReference):
    """`expected_quantity`: the current quantity as the client knows it; an explicit null sets the level regardless."""

    quantity: QuantityNotNegative
    expected_quantity: Quantity | None
    reason: Note | None = None
    reference_number: Reference | None = None
    lot: Lot = 0


class SetLevelResponse(BaseModel):
    """The level after it was set; `movement_id` is null if the quantity did not change."""

    product_id: int
    sku: str
    warehouse_id: int
    lot: int
    before: Quantity
    on_hand: Quantity
    reserved: Quantity
    available: Quantity
    value: Annotated[Value, COST]
    average_cost: Annotated[Money | None, COST]
    movement_id: int | None
    updated_at: datetime
