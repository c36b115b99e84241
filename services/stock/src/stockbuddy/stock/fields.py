"""The fields that bodies and queries are made of: what each may hold, once for all documents."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints

from stockbuddy.chassis import fields
from stockbuddy.contracts.numbers import Money, Quantity, money_text, quantity_number

LARGEST_ID = 2**63 - 1
CLOCK_SKEW = timedelta(minutes=5)
# PostgreSQL's text can hold every character but NUL.
_TEXT = r"^[^\x00]*$"


class Body(BaseModel):
    """A request body: a misspelt field is an error, not silence."""

    model_config = ConfigDict(extra="forbid")


def _refuse_truth(value: Any) -> Any:
    """`true` names nothing, though Python counts it as 1."""
    if value is True or value is False:
        raise ValueError("is true or false, not a number")
    return value


def _in_utc(moment: datetime) -> datetime:
    if not 1970 <= moment.year <= 9000:
        raise ValueError("is not a date of this epoch")
    return moment.astimezone(UTC)


def _not_in_future(moment: datetime) -> datetime:
    if moment > datetime.now(UTC) + CLOCK_SKEW:
        raise ValueError("lies in the future")
    return moment


NUMBER = BeforeValidator(_refuse_truth)
Id = Annotated[int, Field(ge=1, le=LARGEST_ID), NUMBER]
Lot = Annotated[int, Field(ge=0, le=LARGEST_ID), NUMBER]
Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50, pattern=_TEXT)]
Sku = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=_TEXT)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=_TEXT)]
Reference = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=_TEXT)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000, pattern=_TEXT)]
Search = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=_TEXT)]
Moment = Annotated[fields.Moment, AfterValidator(_in_utc)]
PastMoment = Annotated[Moment, AfterValidator(_not_in_future)]
PositiveQuantity = Annotated[Quantity, Field(gt=0)]
QuantityNotNegative = Annotated[Quantity, Field(ge=0)]
Price = Annotated[Money, Field(ge=0)]
# What is worked out from many amounts or quantities may be larger than any of them.
MoneySum = Annotated[Decimal, PlainSerializer(money_text, return_type=str)]
QuantitySum = Annotated[Decimal, PlainSerializer(quantity_number, return_type=int | float)]
