"""Field types of stock's request bodies and queries that the chassis does not have."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field, PlainSerializer

from stockbuddy.chassis.fields import MAX_ID, Integer, InvalidValue, UtcTime, text
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.numbers import DecimalText, Money, Quantity, money_text, quantity_number

MAX_CLOCK_SKEW = timedelta(minutes=5)
"""How far a client's clock may be ahead of ours."""


def _reject_future(time: datetime) -> datetime:
    if time > clock.now() + MAX_CLOCK_SKEW:
        raise InvalidValue("in_future", "lies in the future")
    return time


Lot = Annotated[Integer, Field(ge=0, le=MAX_ID)]
Code = Annotated[str, text(50)]
Sku = Annotated[str, text(100)]
Name = Annotated[str, text(200)]
Reference = Annotated[str, text(200)]
Note = Annotated[str, text(4000, min_length=0)]
Search = Annotated[str, text(200, min_length=0)]
PastTime = Annotated[UtcTime, AfterValidator(_reject_future)]
PositiveQuantity = Annotated[Quantity, Field(gt=0)]
QuantityNotNegative = Annotated[Quantity, Field(ge=0)]
Price = Annotated[Money, Field(ge=0)]
# Sums of many amounts or quantities may exceed the range of a single one.
MoneySum = Annotated[Decimal, PlainSerializer(money_text, return_type=DecimalText)]
QuantitySum = Annotated[Decimal, PlainSerializer(quantity_number, return_type=int | float)]
