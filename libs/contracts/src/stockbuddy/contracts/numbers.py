"""Exact money and quantities, in the format of API bodies and events."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer

MONEY_PLACES = 4
QUANTITY_PLACES = 3
VALUE_PLACES = 10
MAX_NUMBER_LENGTH = 40
MAX_EXPONENT = 30
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


def check_number(value: object) -> object:
    """Limit a number before it is converted to Decimal: `0e-50000000` is short, but arithmetic with it takes seconds
    and gigabytes. Also rejects what only Python accepts, such as `12_50`. Raises ValueError."""
    if isinstance(value, str):
        text = value.strip()
        if len(text) > MAX_NUMBER_LENGTH or _NUMBER.fullmatch(text) is None:
            raise ValueError("is not a decimal number")
        exponent = text.lower().partition("e")[2]
        if abs(int(exponent or 0)) > MAX_EXPONENT:
            raise ValueError(f"has an exponent beyond {MAX_EXPONENT}")
    elif isinstance(value, Decimal) and value.is_finite() and abs(value.as_tuple().exponent) > MAX_EXPONENT:  # type: ignore[arg-type] # finite: an int
        raise ValueError(f"has an exponent beyond {MAX_EXPONENT}")
    return value


NUMBER_LIMITS = BeforeValidator(check_number)
"""Place it after the other constraints: the last validator of an annotated type runs first."""


# `str` takes half the time of the format without exponent and negative zero, which few numbers need. The ledger writes
# ten numbers per movement, so both functions repeat the check instead of sharing it.


def money_text(amount: Decimal) -> str:
    """At least two decimal places, no exponent, no negative zero: `19.9` → `"19.90"`."""
    text = str(amount)
    if "E" in text or text[0] == "-":
        text = f"{amount:zf}"
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def quantity_number(quantity: Decimal) -> int | float:
    """A JSON number that parses to the same decimal: a double represents 15 significant digits exactly."""
    return int(quantity) if quantity == quantity.to_integral_value() else float(quantity)


def quantity_text(quantity: Decimal) -> str:
    """The same number as JSON text, for hand-built JSON: `2.500` → `2.5`."""
    text = str(quantity)
    if "E" in text or text[:2] == "-0":
        text = f"{quantity:zf}"
    return text.rstrip("0").rstrip(".") if "." in text else text


DecimalText = Annotated[str, Field(json_schema_extra={"format": "decimal"})]
"""How money is serialised; the format distinguishes it from other texts in JSON Schema."""

Money = Annotated[
    Decimal,
    Field(max_digits=18, decimal_places=MONEY_PLACES, allow_inf_nan=False),
    NUMBER_LIMITS,
    PlainSerializer(money_text, return_type=DecimalText),
]
"""A decimal string with at most 4 places."""

Value = Annotated[
    Decimal,
    Field(max_digits=28, decimal_places=VALUE_PLACES, allow_inf_nan=False),
    NUMBER_LIMITS,
    PlainSerializer(money_text, return_type=DecimalText),
]
"""The exact value of stock: a decimal string with at most 10 places."""

Quantity = Annotated[
    Decimal,
    Field(max_digits=15, decimal_places=QUANTITY_PLACES, allow_inf_nan=False),
    NUMBER_LIMITS,
    PlainSerializer(quantity_number, return_type=int | float),
]
"""A JSON number with at most 3 places."""

Percentage = Annotated[
    Decimal,
    Field(ge=0, le=100, max_digits=5, decimal_places=2, allow_inf_nan=False),
    NUMBER_LIMITS,
    PlainSerializer(quantity_number, return_type=int | float),
]
"""A JSON number from 0 to 100 with at most 2 places."""
