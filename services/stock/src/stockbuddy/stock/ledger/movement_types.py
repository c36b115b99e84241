"""The types of movement and the sign that each implies."""

from decimal import Decimal
from enum import StrEnum


class MovementType(StrEnum):
    PURCHASE = "purchase"
    RETURN = "return"
    TRANSFER_IN = "transfer_in"
    IN = "in"
    SALE = "sale"
    DAMAGED = "damaged"
    TRANSFER_OUT = "transfer_out"
    OUT = "out"
    ADJUSTMENT = "adjustment"


INCOMING = frozenset({MovementType.PURCHASE, MovementType.RETURN, MovementType.TRANSFER_IN, MovementType.IN})
OUTGOING = frozenset({MovementType.SALE, MovementType.DAMAGED, MovementType.TRANSFER_OUT, MovementType.OUT})


def signed_quantity(movement_type: MovementType, quantity: Decimal) -> Decimal:
    """The change of `on_hand`: for `sale`, 5 and -5 are both -5; an `adjustment` keeps its sign.

    Raises ValueError for zero, and for a negative quantity of an incoming type.
    """
    if quantity == 0:
        raise ValueError("must not be zero")
    if movement_type in OUTGOING:
        return -abs(quantity)
    if movement_type in INCOMING and quantity < 0:
        raise ValueError(f"{movement_type.value} adds stock: the quantity must not be negative")
    return quantity
