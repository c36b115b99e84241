"""Request and response models of expenses."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from stockbuddy.chassis.fields import Day, Id, Omittable
from stockbuddy.contracts.numbers import Money
from stockbuddy.stock.fields import Name, Note, Search
from stockbuddy.stock.inventory.references import HasWarehouseReference
from stockbuddy.stock.periods import PeriodFilter

Amount = Annotated[Money, Field(gt=0)]


class ExpenseFilter(PeriodFilter):
    """`from` and `to` select `incurred_on` in a half-open interval; `search` matches the category and the notes."""

    category: Name | None = None
    warehouse_id: Id | None = None
    search: Search | None = None
    sort_by: Literal["incurred_desc", "incurred_asc", "amount_desc", "amount_asc"] = "incurred_desc"


class ExpenseCreate(HasWarehouseReference):
    """Without a warehouse, the expense concerns the whole company."""

    category: Name
    amount: Amount
    incurred_on: Day
    notes: Note | None = None


class ExpenseUpdate(HasWarehouseReference):
    """Omitted fields keep their value; a null `warehouse_id` assigns the expense to the whole company."""

    category: Omittable[Name]
    amount: Omittable[Amount]
    incurred_on: Omittable[Day]
    notes: Omittable[Note | None]


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
