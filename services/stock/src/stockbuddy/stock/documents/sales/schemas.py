"""Sales and returns on the wire."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, StrictBool, model_validator

from stockbuddy.chassis.fields import Id, RequestBody
from stockbuddy.chassis.http.idempotency import MAX_KEY_LENGTH
from stockbuddy.contracts.numbers import Money
from stockbuddy.contracts.stock import ReturnedLine, SaleState
from stockbuddy.stock.documents.reservations.schemas import ReservationResponse
from stockbuddy.stock.fields import Lot, Name, Note, PastTime, PositiveQuantity, Price, Reference, Sku
from stockbuddy.stock.inventory.references import HasProductReference, HasWarehouseReference, ProductIdOrSku

MAX_SALE_LINES = 1000
"""Lines; a wholesaler's invoice has hundreds."""
LARGEST_BATCH = 500

IdempotencyName = Annotated[str, Field(min_length=1, max_length=MAX_KEY_LENGTH, pattern=r"^[^\x00]*$")]


class SaleLineCreate(HasProductReference):
    """`unit_price` defaults to the product's; `discount` is an amount off the whole line."""

    quantity: PositiveQuantity
    unit_price: Price | None = None
    discount: Price | None = None
    lot: Lot = 0


class SaleCreate(HasWarehouseReference):
    """Either `lines`, or the short form: one product and its quantity. `customer` is an id or a name.
    A sale may take up a reservation: what that held is free for it, and for nobody before it."""

    lines: Annotated[list[SaleLineCreate] | None, Field(min_length=1, max_length=MAX_SALE_LINES)] = None
    product: ProductIdOrSku | None = None
    product_id: Id | None = None
    sku: Sku | None = None
    quantity: PositiveQuantity | None = None
    unit_price: Price | None = None
    discount: Price | None = None
    customer_id: Id | None = None
    customer: Annotated[Id | Name | None, Field(union_mode="smart")] = None
    payment_method: Reference | None = None
    reference: Reference | None = None
    notes: Note | None = None
    reservation_id: Id | None = None
    occurred_at: PastTime | None = None

    @model_validator(mode="after")
    def has_one_form(self) -> Self:
        if self.customer_id is not None and self.customer is not None:
            raise ValueError("name the customer by customer_id or by customer")
        is_short = not {"product", "product_id", "sku", "quantity", "unit_price", "discount"}.isdisjoint(
            self.model_fields_set
        )
        if is_short == (self.lines is not None):
            raise ValueError("give either lines, or a product and its quantity")
        if is_short:
            self._check_short_form()
        return self

    def _check_short_form(self) -> None:
        if self.quantity is None:
            raise ValueError("the quantity is missing")
        named = [value for value in (self.product, self.product_id, self.sku) if value is not None]
        if len(named) != 1:
            raise ValueError("name the product by product, product_id or sku")

    @property
    def sold(self) -> list[SaleLineCreate]:
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
    """A sale of a till that was offline; `occurred_at` says when it was made."""

    idempotency_key: IdempotencyName | None = None


class SalesBatchCreate(RequestBody):
    sales: Annotated[list[OfflineSaleCreate], Field(min_length=1, max_length=LARGEST_BATCH)]


class SaleResponse(SaleState):
    """A sale with its lines."""


class SaleResult(BaseModel):
    """What became of one sale of a batch: `sale` when posted (now or, `replayed`, before), `problem` when not."""

    index: int
    status: Literal["posted", "rejected"]
    replayed: bool
    sale: SaleResponse | None = None
    problem: dict[str, Any] | None = None


class SalesBatchResponse(BaseModel):
    posted: int
    rejected: int
    results: list[SaleResult]


class VoidSale(RequestBody):
    reason: Note | None = None


class CommitReservation(RequestBody):
    """What a reservation becomes: a sale at the products' prices, or goods that simply go out."""

    as_: Annotated[Literal["sale", "out"], Field(alias="as")] = "out"
    customer_id: Id | None = None
    customer: Annotated[Id | Name | None, Field(union_mode="smart")] = None
    payment_method: Reference | None = None
    reference: Reference | None = None
    notes: Note | None = None


class CommittedReservationResponse(ReservationResponse):
    """A reservation that was taken, and the sale that it became, if it did."""

    sale: SaleResponse | None = None


class SaleReturnLineCreate(RequestBody):
    """`line_id` names a line of the sale; `product_id` (or `sku`) all of its lines of that product, in order."""

    line_id: Id | None = None
    product_id: Id | None = None
    sku: Sku | None = None
    quantity: PositiveQuantity

    @model_validator(mode="after")
    def names_one_line(self) -> Self:
        if sum(value is not None for value in (self.line_id, self.product_id, self.sku)) != 1:
            raise ValueError("name the line by line_id, product_id or sku")
        return self


class SaleReturnCreate(RequestBody):
    """Without `lines`, whatever is left of the sale. With `restock` false nothing goes back to stock."""

    lines: Annotated[list[SaleReturnLineCreate] | None, Field(min_length=1, max_length=MAX_SALE_LINES)] = None
    restock: StrictBool = True
    reason: Note | None = None
    occurred_at: PastTime | None = None


class SaleReturnResponse(BaseModel):
    """A return; `total` is what goes back to the customer, `sale` the sale as it stands now."""

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
