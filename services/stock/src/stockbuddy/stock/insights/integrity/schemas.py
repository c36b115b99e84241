"""Response models of the reconciliation."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, PlainSerializer

from stockbuddy.contracts.numbers import DecimalText, money_text
from stockbuddy.stock.fields import QuantitySum

ValueSum = Annotated[Decimal, PlainSerializer(money_text, return_type=DecimalText)]


class Difference(BaseModel):
    """`expected`: computed from movements (`reserved`: from reservations and pending transfers); `found`: stored.
    `layers`: the quantity of the cost layers by FIFO is not that of the level."""

    model_config = ConfigDict(from_attributes=True)

    what: Literal["on_hand", "balance", "reserved", "layers"]
    product_id: int
    warehouse_id: int
    lot: int
    expected: QuantitySum
    found: QuantitySum


class ValueDifference(BaseModel):
    """`value`: of a level that is not the sum of its movements' values. Of a product (`warehouse_id` and `lot` null):
    `in_transit`: the value in transit is not the value that left less the value that arrived; `receipts`: the value of
    the movements is not that of the receipts of purchase orders; `fifo`: the valuation is not the value received less
    the value that left."""

    model_config = ConfigDict(from_attributes=True)

    what: Literal["value", "in_transit", "receipts", "fifo"]
    product_id: int
    warehouse_id: int | None
    lot: int | None
    expected: ValueSum
    found: ValueSum


class IntegrityResponse(BaseModel):
    ok: bool
    differences: list[Difference]
    value_differences: list[ValueDifference]
