"""Amounts payable: line totals and refunds, rounded per line to the minor unit of the currency, half away from zero.
Refunds of partial returns always add up to the line total, independent of their order. Unit prices and costs keep four
decimal places."""

from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from iso4217 import Currency

from stockbuddy.chassis.fields import InvalidValue

COST_QUANTUM = Decimal("0.0001")
MAX_AMOUNT = Decimal(10) ** 14
"""Bound of numeric(18, 4)."""
TOO_LARGE = f"must come to less than {MAX_AMOUNT:,}"
_DEFAULT_EXPONENT = 2


@cache
def minor_unit(currency: str | None) -> Decimal:
    """The smallest payable amount: 0.01 of a euro, 1 yen. `currency` None: not known yet."""
    exponent = None if currency is None else Currency(currency).exponent
    return Decimal(1).scaleb(-(_DEFAULT_EXPONENT if exponent is None else exponent))


def round_cost(cost: Decimal) -> Decimal:
    return cost.quantize(COST_QUANTUM, ROUND_HALF_UP)


def line_amount(quantity: Decimal, unit_price: Decimal, unit: Decimal) -> Decimal:
    """The amount before any discount. Raises ValueError for more than can be stored."""
    amount = quantity * unit_price
    if amount >= MAX_AMOUNT:
        raise InvalidValue("amount_too_large", TOO_LARGE)
    return amount.quantize(unit, ROUND_HALF_UP)


def line_total(quantity: Decimal, unit_price: Decimal, discount: Decimal, unit: Decimal) -> Decimal:
    """Raises ValueError if the discount exceeds the amount, or the amount what can be stored."""
    total = line_amount(quantity, unit_price, unit) - discount
    if total < 0:
        raise InvalidValue("discount_too_large", "exceeds the amount of the line")
    return total.quantize(unit, ROUND_HALF_UP)


def refund(
    total: Decimal, quantity: Decimal, returned: Decimal, refunded: Decimal, returning: Decimal, unit: Decimal
) -> Decimal:
    """The refund for `returning` more units of a line of which `returned` units were refunded with `refunded`."""
    after = returned + returning
    due = total if after == quantity else (total * after / quantity).quantize(unit, ROUND_HALF_UP)
    return max(min(due, total) - refunded, Decimal(0))
