"""Request and response models of stock counts."""

from typing import Annotated, Literal

from pydantic import Field

from stockbuddy.chassis.fields import Id, RequestBody
from stockbuddy.chassis.http.pagination import PageQuery
from stockbuddy.contracts.stock import CountState
from stockbuddy.stock.fields import Lot, Name, Note, PastTime, QuantityNotNegative
from stockbuddy.stock.inventory.references import HasProductReference, HasWarehouseReference, ProductIdOrSku

MAX_ENTERED_LINES = 1000
MAX_PRODUCTS = 10_000

StockCountStatus = Literal["open", "approved", "cancelled"]


class StockCountFilter(PageQuery):
    status: StockCountStatus | None = None
    warehouse_id: Id | None = None
    product_id: Id | None = None
    sort_by: Literal["created_desc", "created_asc"] = "created_desc"


class StockCountCreate(HasWarehouseReference):
    """Counts `products` (ids or SKUs), a `category` with those below it, or all stock of the warehouse.
    `product_ids` means the same as `products`."""

    products: Annotated[list[ProductIdOrSku] | None, Field(min_length=1, max_length=MAX_PRODUCTS)] = None
    product_ids: Annotated[list[Id] | None, Field(min_length=1, max_length=MAX_PRODUCTS)] = None
    category: Name | None = None
    notes: Note | None = None

    @property
    def product_references(self) -> list[Id | str] | None:
        if self.products is None and self.product_ids is None:
            return None
        return [*(self.products or []), *(self.product_ids or [])]


class EnterCountsLine(HasProductReference):
    """`counted` null deletes an earlier entry. The quantity was counted at `counted_at`, by default when it is entered;
    goods that have moved since then are added when the count is approved."""

    counted: QuantityNotNegative | None
    counted_at: PastTime | None = None
    lot: Lot = 0


class EnterCounts(RequestBody):
    lines: Annotated[list[EnterCountsLine], Field(min_length=1, max_length=MAX_ENTERED_LINES)]


class StockCountResponse(CountState):
    """A stock count with its lines."""
