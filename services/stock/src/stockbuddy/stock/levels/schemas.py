"""Levels on the wire."""

from datetime import datetime

from pydantic import BaseModel

from stockbuddy.contracts.numbers import Money, Quantity


class LevelView(BaseModel):
    """`available` is what may be sold or promised: on hand and not reserved."""

    product_id: int
    sku: str
    name: str
    category: str | None
    warehouse_id: int
    warehouse_code: str
    lot: int
    on_hand: Quantity
    reserved: Quantity
    available: Quantity
    incoming: Quantity
    low_stock_threshold: Quantity
    average_cost: Money | None
    updated_at: datetime
