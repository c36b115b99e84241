"""The query parameters of lists of products."""

from typing import Literal

from pydantic import field_validator, model_validator

from stockbuddy.catalog.fields import SearchText, blank_to_none
from stockbuddy.chassis.fields import DayOrTime, Id
from stockbuddy.chassis.http.pagination import PageQuery
from stockbuddy.contracts.numbers import Money

ProductSort = Literal[
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


class ProductFilter(PageQuery):
    """The default of `sort_by` is `relevance` with `search`, otherwise `created_desc`. Dates are half-open:
    `[created_from_date, created_to_date)`, moments or days in the company's time zone. A blank search or category, as
    an empty form field sends it, is ignored."""

    search: SearchText | None = None
    category: SearchText | None = None
    category_id: Id | None = None
    supplier_id: Id | None = None
    owner_id: Id | None = None
    price_min: Money | None = None
    price_max: Money | None = None
    low_stock: bool | None = None
    in_stock: bool | None = None
    is_active: bool | None = None
    created_from_date: DayOrTime | None = None
    created_to_date: DayOrTime | None = None
    include_deleted: bool = False
    exact_total: bool = True
    sort_by: ProductSort | None = None

    _ignore_blank = field_validator("search", "category", mode="before")(blank_to_none)

    @property
    def sort(self) -> str:
        if self.sort_by is None:
            return "created_desc" if self.search is None else "relevance"
        return self.sort_by

    @property
    def filters_by_stock(self) -> bool:
        return self.in_stock is not None or self.low_stock is not None

    @property
    def depends_on_stock(self) -> bool:
        """Whether a change of stock can change which products are on a page."""
        return self.filters_by_stock or self.sort.startswith("stock_")

    @model_validator(mode="after")
    def require_search_for_relevance(self) -> "ProductFilter":
        if self.sort_by == "relevance" and self.search is None:
            raise ValueError("sorting by relevance requires search")
        return self
