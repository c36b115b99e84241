"""Query and response models of the lists of levels."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel

from stockbuddy.chassis.fields import DayOrTime, Id
from stockbuddy.chassis.http.pagination import PageQuery
from stockbuddy.contracts.field_permissions import COST
from stockbuddy.contracts.numbers import Money, Quantity, Value
from stockbuddy.stock.fields import Lot, Name, Price, Sku


class LevelFilter(PageQuery):
    """`category`: a name; the categories below it are included. `price_min`, `price_max`: the unit price; `as_of`: the
    levels at that moment, inclusive, or at the end of that day."""

    product_id: Id | None = None
    sku: Sku | None = None
    warehouse_id: Id | None = None
    lot: Lot | None = None
    category: Name | None = None
    price_min: Price | None = None
    price_max: Price | None = None
    low_stock: bool | None = None
    as_of: DayOrTime | None = None


class LevelResponse(BaseModel):
    """`available`: on hand and not reserved; `value`: of what is on hand, at average cost. At a past moment (`as_of`)
    `reserved`, `available` and `incoming` are unknown."""

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
    value: Annotated[Value, COST]
    average_cost: Annotated[Money | None, COST]
    updated_at: datetime
