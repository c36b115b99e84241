"""Movements on the wire."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from stockbuddy.chassis.fields import RequestBody
from stockbuddy.contracts.numbers import Money, Quantity
from stockbuddy.contracts.stock import MovementPosted
from stockbuddy.stock.fields import Lot, Note, PastTime, Price, Reference
from stockbuddy.stock.inventory.references import HasProductReference, HasWarehouseReference
from stockbuddy.stock.ledger import MovementType, signed_quantity

LARGEST_BATCH = 1000


def _in_lower_case(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


Kind = Annotated[MovementType, BeforeValidator(_in_lower_case)]


class MovementCreate(HasProductReference, HasWarehouseReference):
    """The sign of `quantity` follows from the type and may be left out; only an `adjustment` is signed."""

    movement_type: Kind
    quantity: Quantity
    unit_cost: Price | None = None
    reference_number: Reference | None = None
    notes: Note | None = None
    occurred_at: PastTime | None = None
    lot: Lot = 0

    @model_validator(mode="after")
    def sign_fits_type(self) -> Self:
        signed_quantity(self.movement_type, self.quantity)
        return self

    @property
    def signed(self) -> Decimal:
        return signed_quantity(self.movement_type, self.quantity)


class NewMovements(BaseModel):
    model_config = MovementCreate.model_config

    movements: Annotated[list[MovementCreate], Field(min_length=1, max_length=LARGEST_BATCH)]
    on_error: Literal["abort", "continue"] = "abort"


class NewReversal(RequestBody):
    """`notes` say why; by default, what is reversed."""

    notes: Note | None = None


class MovementResponse(BaseModel):
    """A line of the ledger. `quantity` is signed; `balance` is what the level held after it."""

    id: int
    product_id: int
    sku: str
    warehouse_id: int
    lot: int
    movement_type: str
    quantity: Quantity
    before: Quantity
    balance: Quantity
    unit_cost: Money | None
    average_cost: Money | None
    reference_number: str | None
    notes: str | None
    document: str | None
    performed_by: int | None
    went_negative: bool
    reverses_id: int | None
    occurred_at: datetime
    recorded_at: datetime


if set(MovementResponse.model_fields) != set(MovementPosted.model_fields):
    raise TypeError("stock.movement.posted carries the movement as the API shows it")


class BatchResult(BaseModel):
    """What became of one movement of a batch: `movement` when posted, `problem` when rejected."""

    index: int
    status: Literal["posted", "rejected"]
    movement: MovementResponse | None = None
    problem: dict[str, Any] | None = None


class BatchView(BaseModel):
    posted: int
    rejected: int
    results: list[BatchResult]
