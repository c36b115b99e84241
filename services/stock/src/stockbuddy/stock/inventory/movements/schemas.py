"""Request and response models of movements."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from stockbuddy.chassis.fields import Id, RequestBody
from stockbuddy.chassis.http.openapi.problems import NestedProblem
from stockbuddy.contracts.field_permissions import COST
from stockbuddy.contracts.numbers import Money, Quantity, Value
from stockbuddy.contracts.stock import MovementPosted
from stockbuddy.stock.fields import Lot, Note, PastTime, Price, Reference, Sku
from stockbuddy.stock.inventory.references import HasProductReference, HasWarehouseReference
from stockbuddy.stock.ledger import MovementType, signed_quantity
from stockbuddy.stock.periods import PeriodFilter

MAX_BATCH_SIZE = 1000


def _to_lower_case(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


CaseInsensitiveMovementType = Annotated[MovementType, BeforeValidator(_to_lower_case)]


class MovementCreate(HasProductReference, HasWarehouseReference):
    """The movement type determines the sign of `quantity`, which may be omitted; an `adjustment` must be signed.
    `unit_cost`: what incoming stock costs, or what outgoing stock leaves at (returned to the supplier, for example);
    the average cost if it is not stated."""

    movement_type: CaseInsensitiveMovementType
    quantity: Quantity
    unit_cost: Price | None = None
    reference_number: Reference | None = None
    notes: Note | None = None
    occurred_at: PastTime | None = None
    lot: Lot = 0

    @model_validator(mode="after")
    def require_matching_sign(self) -> Self:
        signed_quantity(self.movement_type, self.quantity)
        return self

    @property
    def signed_quantity(self) -> Decimal:
        return signed_quantity(self.movement_type, self.quantity)


class MovementBatchCreate(RequestBody):
    """`on_error`: post all movements or none (`abort`), or each one that can be posted (`continue`)."""

    movements: Annotated[list[MovementCreate], Field(min_length=1, max_length=MAX_BATCH_SIZE)]
    on_error: Literal["abort", "continue"] = "abort"


class ReverseMovement(RequestBody):
    """`notes` default to the id of the reversed movement."""

    notes: Note | None = None


class MovementFilter(PeriodFilter):
    """`from` and `to` are compared with `occurred_at`; the interval is half-open."""

    product_id: Id | None = None
    sku: Sku | None = None
    warehouse_id: Id | None = None
    movement_type: CaseInsensitiveMovementType | None = None
    reference_number: Reference | None = None
    document: Reference | None = None
    performed_by: Id | None = None
    sort_by: Literal["recorded_desc", "recorded_asc", "occurred_desc", "occurred_asc"] = "recorded_desc"


class MovementResponse(BaseModel):
    """A movement. `quantity` and `value` are the signed changes of the level's quantity and value; `balance`
    is its quantity after the movement. `correction` is the part of `value` that is not of the goods moved: the cost of
    stock that had left below zero, or of unknown cost, has become known."""

    id: int
    product_id: int
    sku: str
    warehouse_id: int
    lot: int
    movement_type: str
    quantity: Quantity
    before: Quantity
    balance: Quantity
    unit_cost: Annotated[Money | None, COST]
    value: Annotated[Value, COST]
    correction: Annotated[Value, COST]
    average_cost: Annotated[Money | None, COST]
    reference_number: str | None
    notes: str | None
    document: str | None
    performed_by: int | None
    went_negative: bool
    reverses_id: int | None
    occurred_at: datetime
    recorded_at: datetime


if set(MovementResponse.model_fields) != set(MovementPosted.model_fields):
    # The ledger uses the event's JSON as the response of `create_movement`.
    raise TypeError("MovementResponse and stock.movement.posted must have the same fields")


class MovementBatchResult(BaseModel):
    """The result of one movement of a batch: `movement` if posted, `problem` if rejected."""

    index: int
    status: Literal["posted", "rejected"]
    movement: MovementResponse | None = None
    problem: NestedProblem | None = None


class MovementBatchResponse(BaseModel):
    posted: int
    rejected: int
    results: list[MovementBatchResult]
