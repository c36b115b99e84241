"""Events of stock counts."""

from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from stockbuddy.contracts.event import Event
from stockbuddy.contracts.numbers import Quantity


class CountLine(BaseModel):
    """`expected`: the level when it was frozen, or at `counted_at` if the client sent it. `difference`: what the
    approval posted."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: int
    product_id: int
    sku: str
    name: str
    lot: int = 0
    expected: Quantity
    counted: Quantity | None = None
    counted_at: datetime | None = None
    counted_by: int | None = None
    difference: Quantity | None = None
    movement_id: int | None = None


class CountState(Event):
    """A stock count after the change, in the format of the API."""

    subject_template: ClassVar[str] = "stock_count/{id}"
    sequence_field: ClassVar[str | None] = "version"

    id: int
    version: int
    number: str
    status: str
    warehouse_id: int
    notes: str | None = None
    created_by: int | None = None
    created_at: datetime
    ended_by: int | None = None
    ended_at: datetime | None = None
    lines: list[CountLine]


class CountOpened(CountState):
    type: ClassVar[str] = "stock.count.opened"


class CountEntered(CountState):
    type: ClassVar[str] = "stock.count.entered"


class CountApproved(CountState):
    type: ClassVar[str] = "stock.count.approved"


class CountCancelled(CountState):
    type: ClassVar[str] = "stock.count.cancelled"
