"""What a list of products may be asked for."""

from datetime import UTC, date, datetime, time
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, model_validator

from stockbuddy.catalog.wording import Reference, Words
from stockbuddy.chassis.moments import WRITTEN_OUT
from stockbuddy.chassis.paging import DEFAULT_PAGE_SIZE, LARGEST_PAGE_SIZE
from stockbuddy.contracts.numbers import Money


def _moment(given: date | datetime) -> datetime:
    if not isinstance(given, datetime):
        given = datetime.combine(given, time.min)
    return given if given.tzinfo is not None else given.replace(tzinfo=UTC)


Moment = Annotated[date | datetime, WRITTEN_OUT, AfterValidator(_moment)]
Sort = Literal[
    "relevance",
    "name_asc",
    "name_desc",
    "stock_asc",
    "stock_desc",
    "created_asc",
    "created_desc",
    "price_asc",
    "price_desc",
]


class ProductListing(BaseModel):
    """The query of a list of products. `sort_by` is by default `relevance` for a search, else `created_desc`.
    Dates are half-open: `[created_from_date, created_to_date)`; without an offset they are UTC."""

    search: Words | None = None
    category: Words | None = None
    category_id: Reference | None = None
    supplier_id: Reference | None = None
    owner_id: Reference | None = None
    price_min: Money | None = None
    price_max: Money | None = None
    low_stock: bool | None = None
    in_stock: bool | None = None
    is_active: bool | None = None
    created_from_date: Moment | None = None
    created_to_date: Moment | None = None
    include_deleted: bool = False
    sort_by: Sort | None = None
    page: Annotated[int, Field(ge=1, le=1_000_000_000)] = 1
    page_size: Annotated[int, Field(ge=1, le=LARGEST_PAGE_SIZE)] = DEFAULT_PAGE_SIZE
    cursor: Annotated[str, Field(max_length=2000)] | None = None

    @property
    def sort(self) -> str:
        if self.sort_by is None:
            return "created_desc" if self.search is None else "relevance"
        return self.sort_by

    @property
    def looks_at_stock(self) -> bool:
        return self.in_stock is not None or self.low_stock is not None

    @model_validator(mode="after")
    def rank_only_searches(self) -> "ProductListing":
        if self.sort_by == "relevance" and self.search is None:
            raise ValueError("only a search can be sorted by relevance")
        return self
