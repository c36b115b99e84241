"""Response models of the reconciliation."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, PlainSerializer

from stockbuddy.contracts.numbers import money_text
from stockbuddy.stock.fields import QuantitySum

ValueSum = Annotated[Decimal, PlainSerializer(money_text, return_type=str)]


class Difference(BaseModel):
    """`expected`: computed from movements (`reserved`: from reservations and pending transfers); `found`: stored."""

    model_config = ConfigDict(from_attributes=True)

    what: Literal["on_hand", "balance", "reserved"]
    product_id: int
    warehouse_id: int
    lot: int
    expected: QuantitySum
    found: QuantitySum


class ValueDifference(BaseModel):
    """A level whose value is not the sum of its movements' values, or a product whose value in transit (of all its
    transfers; `warehouse_id` and `lot` null) is not what left less what arrived."""

    model_config = ConfigDict(from_attributes=True)

    what: Literal["value", "in_transit"]
    product_id: int
    warehouse_id: int | None
    lot: int | None
    expected: ValueSum
    found: ValueSum


class IntegrityResponse(BaseModel):
    ok: bool
    differences: list[Difference]
    value_differences: list[ValueDifference]
