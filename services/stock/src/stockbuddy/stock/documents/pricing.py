"""What a line comes to, and what of it goes back: exact to the last of four places, whatever order returns come in."""

from decimal import ROUND_HALF_UP, Decimal

MONEY_QUANTUM = Decimal("0.0001")
MAX_AMOUNT = Decimal(10) ** 14
"""numeric(18, 4) ends here."""


def line_amount(quantity: Decimal, unit_price: Decimal) -> Decimal:
    """Before any discount. Raises ValueError for more than can be recorded."""
    amount = quantity * unit_price
    if amount >= MAX_AMOUNT:
        raise ValueError("comes to more than can be recorded")
    return amount.quantize(MONEY_QUANTUM, ROUND_HALF_UP)


def line_total(quantity: Decimal, unit_price: Decimal, discount: Decimal) -> Decimal:
    """Raises ValueError when the discount is more than the line comes to."""
    total = line_amount(quantity, unit_price) - discount
    if total < 0:
        raise ValueError("is more than the line comes to")
    return total


def refund(total: Decimal, quantity: Decimal, returned: Decimal, refunded: Decimal, returning: Decimal) -> Decimal:
    """The amount for `returning` more units: the parts of a line always add up to its total."""
    due = (total * (returned + returning) / quantity).quantize(MONEY_QUANTUM, ROUND_HALF_UP)
    return max(min(due, total) - refunded, Decimal(0))
