"""Expenses on the wire."""

from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from stockbuddy.chassis.fields import RFC_3339
from stockbuddy.contracts.numbers import Money
from stockbuddy.stock.fields import Name, Note
from stockbuddy.stock.inventory.references import HasWarehouseReference


def _of_this_epoch(day: date) -> date:
    if not 1970 <= day.year <= 9000:
        raise ValueError("is not a date of this epoch")
    return day


Day = Annotated[date, RFC_3339, AfterValidator(_of_this_epoch)]
Amount = Annotated[Money, Field(gt=0)]


class ExpenseCreate(HasWarehouseReference):
    """Without a warehouse it concerns the whole business."""

    category: Name
    amount: Amount
    incurred_on: Day
    notes: Note | None = None


class ExpenseUpdate(HasWarehouseReference):
    """What is left out stays as it is."""

    category: Name | None = None
    amount: Amount | None = None
    incurred_on: Day | None = None
    notes: Note | None = None


class ExpenseResponse(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    category: str
    amount: Money
    incurred_on: date
    notes: str | None
    warehouse_id: int | None
    created_by: int | None
    version: int
    created_at: datetime
    updated_at: datetime
