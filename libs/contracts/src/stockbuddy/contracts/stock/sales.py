"""Events of sales, their returns and voids."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict

from stockbuddy.contracts.event import Event
from stockbuddy.contracts.field_permissions import COST
from stockbuddy.contracts.numbers import Money, Quantity, Value
from stockbuddy.contracts.personal_data import PersonalFields


class SaleLine(BaseModel):
    """`total`: quantity times unit price, less the discount. `unit_cost`: when it was sold, if known; `cost`: exactly
    what the stock was worth; `cost_returned`: what came back of it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: int
    product_id: int
    sku: str
    name: str
    lot: int = 0
    quantity: Quantity
    unit_price: Money
    discount: Money
    total: Money
    unit_cost: Annotated[Money | None, COST] = None
    cost: Annotated[Value | None, COST] = None
    returned: Quantity
    cost_returned: Annotated[Value, COST] = Decimal(0)
    refunded: Money
    movement_id: int


class SaleState(Event):
    """A sale after the change, in the format of the API. `cost`: of what was sold and did not come back;
    `profit`: total less refunds and cost; both null if a unit cost is unknown. `refunded`: the amount refunded."""

    subject_template: ClassVar[str] = "sale/{id}"
    sequence_field: ClassVar[str | None] = "version"
    personal = (
        PersonalFields("user/{sold_by}", ("seller",)),
        PersonalFields("customer/{customer_id}", ("notes",)),
    )

    id: int
    version: int
    number: str
    status: str
    warehouse_id: int
    customer_id: int | None = None
    reservation_id: int | None = None
    payment_method: str | None = None
    reference: str | None = None
    notes: str | None = None
    discount: Money
    total: Money
    refunded: Money
    cost: Annotated[Money | None, COST] = None
    profit: Annotated[Money | None, COST] = None
    sold_by: int | None = None
    seller: str | None = None
    occurred_at: datetime
    recorded_at: datetime
    voided_at: datetime | None = None
    lines: list[SaleLine]


class SaleCompleted(SaleState):
    type: ClassVar[str] = "stock.sale.completed"


class ReturnedLine(BaseModel):
    """`line_id`: the sale's line; `movement_id`: null if nothing was restocked; `cost`: what the restocked stock is
    worth, null if unknown."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: int
    line_id: int
    product_id: int
    sku: str
    quantity: Quantity
    amount: Money
    cost: Annotated[Value | None, COST] = None
    movement_id: int | None = None


class SaleReturned(SaleState):
    """`returned`: the lines of this return only."""

    type: ClassVar[str] = "stock.sale.returned"

    return_id: int
    restock: bool
    returned: list[ReturnedLine]


class SaleVoided(SaleState):
    """The whole sale was voided: every line was restocked, and the total is due to the customer."""

    type: ClassVar[str] = "stock.sale.voided"

    reason: str | None = None
