"""Request and response models of sales and returns."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, StrictBool, model_validator

from stockbuddy.chassis.fields import NO_NUL, Id, RequestBody
from stockbuddy.chassis.http.idempotency import MAX_KEY_LENGTH
from stockbuddy.chassis.http.openapi.problems import NestedProblem
from stockbuddy.contracts.numbers import Money
from stockbuddy.contracts.stock import ReturnedLine, SaleState
from stockbuddy.stock.documents.allocation import HasLineReference
from stockbuddy.stock.documents.reservations.schemas import ReservationResponse
from stockbuddy.stock.fields import Lot, Name, Note, PastTime, PositiveQuantity, Price, Reference, Search, Sku
from stockbuddy.stock.inventory.references import HasProductReference, HasWarehouseReference, ProductIdOrSku
from stockbuddy.stock.periods import PeriodFilter

MAX_SALE_LINES = 1000
"""A wholesaler's invoice has hundreds."""
MAX_BATCH_SALES = 500

IdempotencyName = Annotated[str, Field(min_length=1, max_length=MAX_KEY_LENGTH, pattern=NO_NUL)]
CustomerIdOrName = Annotated[Id | Name | None, Field(union_mode="smart")]
SaleStatus = Literal["completed", "partially_returned", "returned", "voided"]


class SaleFilter(PeriodFilter):
    """`from` and `to` select `occurred_at` in a half-open interval; `search` matches the number, the reference, the
    customer's name, and the lines' SKU and product name."""

    customer_id: Id | None = None
    product_id: Id | None = None
    sold_by: Id | None = None
    warehouse_id: Id | None = None
    status: SaleStatus | None = None
    search: Search | None = None
    sort_by: Literal["occurred_desc", "occurred_asc", "total_desc", "total_asc"] = "occurred_desc"


class SaleLineCreate(HasProductReference):
    """`unit_price` defaults to the product's; `discount` is an amount off the whole line."""

    quantity: PositiveQuantity
    unit_price: Price | None = None
    discount: Price | None = None
    lot: Lot = 0


class SaleCreate(HasWarehouseReference):
    """Either `lines`, or the short form: one product and its quantity. `customer` is an id or a name.
    If `reservation_id` is given, the sale consumes the reserved stock."""

    lines: Annotated[list[SaleLineCreate] | None, Field(min_length=1, max_length=MAX_SALE_LINES)] = None
    product: ProductIdOrSku | None = None
    product_id: Id | None = None
    sku: Sku | None = None
    quantity: PositiveQuantity | None = None
    unit_price: Price | None = None
    discount: Price | None = None
    customer_id: Id | None = None
    customer: CustomerIdOrName = None
    payment_method: Reference | None = None
    reference: Reference | None = None
    notes: Note | None = None
    reservation_id: Id | None = None
    occurred_at: PastTime | None = None

    @model_validator(mode="after")
    def require_one_form(self) -> Self:
        if self.customer_id is not None and self.customer is not None:
            raise ValueError("customer_id and customer exclude each other")
        short_form = {"product", "product_id", "sku", "quantity", "unit_price", "discount"}
        is_short = not short_form.isdisjoint(self.model_fields_set)
        if is_short == (self.lines is not None):
            raise ValueError("either lines, or a product and its quantity, are required")
        if is_short:
            self._require_complete_short_form()
        return self

    def _require_complete_short_form(self) -> None:
        if self.quantity is None:
            raise ValueError("quantity is required")
        if sum(reference is not None for reference in (self.product, self.product_id, self.sku)) != 1:
            raise ValueError("exactly one of product_id, sku and product is required")

    @property
    def sold_lines(self) -> list[SaleLineCreate]:
        if self.lines is not None:
            return self.lines
        assert self.quantity is not None
        return [
            SaleLineCreate(
                product=self.product,
                product_id=self.product_id,
                sku=self.sku,
                quantity=self.quantity,
                unit_price=self.unit_price,
                discount=self.discount,
            )
        ]

    @property
    def customer_reference(self) -> int | str | None:
        return self.customer_id if self.customer_id is not None else self.customer


class OfflineSaleCreate(SaleCreate):
    """A sale made offline, at `occurred_at`."""

    idempotency_key: IdempotencyName | None = None


class SalesBatchCreate(RequestBody):
    sales: Annotated[list[OfflineSaleCreate], Field(min_length=1, max_length=MAX_BATCH_SALES)]


class SaleResponse(SaleState):
    """A sale with its lines."""


class SalesBatchItem(BaseModel):
    """The result of one sale of a batch: `sale` if posted (now or, if `replayed`, before), else `problem`."""

    index: int
    status: Literal["posted", "rejected"]
    replayed: bool
    sale: SaleResponse | None = None
    problem: NestedProblem | None = None


class SalesBatchResponse(BaseModel):
    posted: int
    rejected: int
    results: list[SalesBatchItem]


class VoidSale(RequestBody):
    reason: Note | None = None


class CommitReservation(RequestBody):
    """`as`: a sale at the products' prices, or an `out` movement."""

    as_: Annotated[Literal["sale", "out"], Field(alias="as")] = "out"
    customer_id: Id | None = None
    customer: CustomerIdOrName = None
    payment_method: Reference | None = None
    reference: Reference | None = None
    notes: Note | None = None


class CommittedReservationResponse(ReservationResponse):
    """A committed reservation, and the sale that consumed it, if any."""

    sale: SaleResponse | None = None


class SaleReturnLineCreate(HasLineReference):
    """The quantity returned of the selected lines of the sale."""

    quantity: PositiveQuantity


class SaleReturnCreate(RequestBody):
    """Without `lines`, everything not yet returned. If `restock` is false, the stock does not change."""

    lines: Annotated[list[SaleReturnLineCreate] | None, Field(min_length=1, max_length=MAX_SALE_LINES)] = None
    restock: StrictBool = True
    reason: Note | None = None
    occurred_at: PastTime | None = None


class SaleReturnResponse(BaseModel):
    """A return. `total`: the refund due to the customer; `sale`: the sale after the return."""

    id: int
    sale_id: int
    restock: bool
    reason: str | None
    total: Money
    performed_by: int | None
    occurred_at: datetime
    recorded_at: datetime
    lines: list[ReturnedLine]
    sale: SaleResponse | None = None
