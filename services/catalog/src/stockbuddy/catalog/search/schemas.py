"""What a list of products may be asked for."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, WithJsonSchema, field_validator, model_validator

from stockbuddy.catalog.wording import Reference, Words, none_if_blank
from stockbuddy.chassis.fields import WRITTEN_OUT
from stockbuddy.chassis.http.pagination import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from stockbuddy.contracts.numbers import Money


def _in_utc(given: datetime) -> datetime:
    try:
        return given.astimezone(UTC) if given.tzinfo is not None else given.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError("is not a date of this epoch") from error


_DATE_OR_TIME = {"anyOf": [{"type": "string", "format": form} for form in ("date", "date-time")]}
# A date is taken for its first moment.
Moment = Annotated[datetime, WRITTEN_OUT, AfterValidator(_in_utc), WithJsonSchema(_DATE_OR_TIME)]
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
    Dates are half-open: `[created_from_date, created_to_date)`; without an offset they are UTC. A blank search or
    category, as an empty field of a form sends it, asks for nothing."""

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
    page_size: Annotated[int, Field(ge=1, le=MAX_PAGE_SIZE)] = DEFAULT_PAGE_SIZE
    cursor: Annotated[str, Field(max_length=2000)] | None = None

    _blank_is_none = field_validator("search", "category", mode="before")(none_if_blank)

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
