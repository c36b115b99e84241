"""Stock counts on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from stockbuddy.chassis.fields import Id, RequestBody
from stockbuddy.contracts.stock import CountState
from stockbuddy.stock.fields import Lot, Name, Note, PastTime, QuantityNotNegative
from stockbuddy.stock.inventory.references import HasProductReference, HasWarehouseReference, ProductIdOrSku

LARGEST_ENTRY = 1000
LARGEST_CHOICE = 10_000

Status = Literal["open", "approved", "cancelled"]


class StockCountCreate(HasWarehouseReference):
    """What is counted: `products` (ids or SKUs), a `category`, or everything that lies in the warehouse.
    `product_ids` is the same as `products`."""

    products: Annotated[list[ProductIdOrSku] | None, Field(min_length=1, max_length=LARGEST_CHOICE)] = None
    product_ids: Annotated[list[Id] | None, Field(min_length=1, max_length=LARGEST_CHOICE)] = None
    category: Name | None = None
    notes: Note | None = None

    @property
    def chosen(self) -> list[Id | str] | None:
        if self.products is None and self.product_ids is None:
            return None
        return [*(self.products or []), *(self.product_ids or [])]


class CountedLine(HasProductReference):
    """`counted` null takes an entry back. It is compared with what was frozen, or, where `counted_at` says when
    it was counted, with what lay there then: movements that the counter saw the effect of are not counted twice."""

    counted: QuantityNotNegative | None
    counted_at: PastTime | None = None
    lot: Lot = 0


class EnterCounts(RequestBody):
    lines: Annotated[list[CountedLine], Field(min_length=1, max_length=LARGEST_ENTRY)]


class StockCountResponse(CountState):
    """A counting session with its lines."""
