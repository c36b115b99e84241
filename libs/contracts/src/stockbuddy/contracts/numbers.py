"""Exact money and quantities, in the format of API bodies and events."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field, PlainSerializer

MONEY_PLACES = 4
QUANTITY_PLACES = 3


def money_text(amount: Decimal) -> str:
    """Two to four decimal places, no exponent, no negative zero: `19.9` → `"19.90"`."""
    whole, _, fraction = f"{amount:zf}".partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def quantity_number(quantity: Decimal) -> int | float:
    """A JSON number that parses to the same decimal: a double represents 15 significant digits exactly."""
    return int(quantity) if quantity == quantity.to_integral_value() else float(quantity)


def quantity_text(quantity: Decimal) -> str:
    """The same number as JSON text, for hand-built JSON: `2.500` → `2.5`."""
    text = f"{quantity:zf}"
    return text.rstrip("0").rstrip(".") if "." in text else text


Money = Annotated[
    Decimal,
    Field(max_digits=18, decimal_places=MONEY_PLACES, allow_inf_nan=False),
    PlainSerializer(money_text, return_type=str),
]
"""A decimal string with at most 4 places."""

Quantity = Annotated[
    Decimal,
    Field(max_digits=15, decimal_places=QUANTITY_PLACES, allow_inf_nan=False),
    PlainSerializer(quantity_number, return_type=int | float),
]
"""A JSON number with at most 3 places."""
