"""Line totals and refunds, rounded to MONEY_QUANTUM. Refunds of partial returns always add up to the line total,
independent of their order."""

from decimal import ROUND_HALF_UP, Decimal

MONEY_QUANTUM = Decimal("0.0001")
MAX_AMOUNT = Decimal(10) ** 14
"""Bound of numeric(18, 4)."""
TOO_LARGE = f"must come to less than {MAX_AMOUNT:,}"


def line_amount(quantity: Decimal, unit_price: Decimal) -> Decimal:
    """The amount before any discount. Raises ValueError for more than can be stored."""
    amount = quantity * unit_price
    if amount >= MAX_AMOUNT:
        raise ValueError(TOO_LARGE)
    return amount.quantize(MONEY_QUANTUM, ROUND_HALF_UP)


def line_total(quantity: Decimal, unit_price: Decimal, discount: Decimal) -> Decimal:
    """Raises ValueError if the discount exceeds the amount, or the amount what can be stored."""
    total = line_amount(quantity, unit_price) - discount
    if total < 0:
        raise ValueError("exceeds the amount of the line")
    return total


def refund(total: Decimal, quantity: Decimal, returned: Decimal, refunded: Decimal, returning: Decimal) -> Decimal:
    """The refund for `returning` more units of a line of which `returned` units were refunded with `refunded`."""
    due = (total * (returned + returning) / quantity).quantize(MONEY_QUANTUM, ROUND_HALF_UP)
    return max(min(due, total) - refunded, Decimal(0))
