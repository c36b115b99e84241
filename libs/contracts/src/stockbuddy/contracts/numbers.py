"""Exact money and quantities, as every API body and event spells them."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field, PlainSerializer

MONEY_PLACES = 4
QUANTITY_PLACES = 3


def money_text(amount: Decimal) -> str:
    """At least two places, at most four, never an exponent and no sign before nothing: `19.9` → `"19.90"`."""
    whole, _, fraction = f"{amount:zf}".partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def quantity_number(quantity: Decimal) -> int | float:
    """A JSON number that reads back as the same decimal: 15 significant digits survive a double exactly."""
    return int(quantity) if quantity == quantity.to_integral_value() else float(quantity)


def quantity_text(quantity: Decimal) -> str:
    """The same number as JSON text, for whoever writes JSON by hand: `2.500` → `2.5`."""
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
