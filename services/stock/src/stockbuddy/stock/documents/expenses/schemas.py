"""Request and response models of expenses."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from stockbuddy.chassis.fields import MAX_YEAR, MIN_YEAR, RFC_3339, Id, Omittable
from stockbuddy.chassis.http.pagination import PageQuery
from stockbuddy.contracts.numbers import Money
from stockbuddy.stock.fields import Name, Note, Search
from stockbuddy.stock.inventory.references import HasWarehouseReference


def _require_supported_year(day: date) -> date:
    if not MIN_YEAR <= day.year <= MAX_YEAR:
        raise ValueError(f"year must be between {MIN_YEAR} and {MAX_YEAR}")
    return day


Day = Annotated[date, RFC_3339, AfterValidator(_require_supported_year)]
Amount = Annotated[Money, Field(gt=0)]


class ExpenseFilter(PageQuery):
    """`from` and `to` select `incurred_on` in a half-open interval; `search` matches the category and the notes."""

    model_config = ConfigDict(populate_by_name=True)

    category: Name | None = None
    warehouse_id: Id | None = None
    search: Search | None = None
    since: Annotated[Day | None, Field(alias="from")] = None
    until: Annotated[Day | None, Field(alias="to")] = None
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
