"""The exact value of stock at moving average cost: what each movement changes it by (ADR 19).

Values are exact to VALUE_QUANTUM and are never recomputed from a rounded average; an average is value ÷ quantity.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

VALUE_QUANTUM = Decimal("1E-10")
COST_QUANTUM = Decimal("0.0001")
MAX_VALUE = Decimal(10) ** 17
"""A tenth of the bound of numeric(28, 10), so that the sum of a level and a movement still fits."""
MAX_COST = Decimal(10) ** 14
"""Bound of numeric(18, 4)."""
ZERO = Decimal(0)
_ROUNDING_NOISE = Decimal("1E-6")
"""Smaller differences result from rounding to VALUE_QUANTUM and are not corrected."""


class ValueOutOfRange(Exception):
    """A value reached MAX_VALUE."""


class Stated(NamedTuple):
    """The cost that a document states: per unit, or exactly for the whole quantity (`value`, positive). A value
    without unit cost is that of stock of unknown cost."""

    unit_cost: Decimal | None
    value: Decimal | None = None


class Valuation(NamedTuple):
    """What the moved stock is worth (signed), and the correction of what is or was in the level: the cost of stock that
    left below zero, or that had no known cost, becomes known. `unit_cost`: None if unknown."""

    goods: Decimal
    correction: Decimal
    unit_cost: Decimal | None

    @property
    def value(self) -> Decimal:
        """The change of the level's value."""
        return self.goods + self.correction


class StockValue(NamedTuple):
    """The quantity and value of a level. `last_cost`: its average when `quantity` was last positive; None if no unit
    cost has been known yet, in which case `value` is zero."""

    quantity: Decimal
    value: Decimal
    last_cost: Decimal | None

    @property
    def average(self) -> Decimal | None:
        """The unit cost at which stock leaves."""
        if self.last_cost is None or self.quantity <= 0:
            return self.last_cost
        return self.value / self.quantity

    def after(self, quantity: Decimal, valuation: Valuation) -> StockValue:
        """After a change by `quantity` (signed)."""
        rest, value = self.quantity + quantity, self.value + valuation.value
        average = self.average
        if average is None:
            average = valuation.unit_cost
        elif rest > 0:
            average = value / rest
        return StockValue(rest, value, None if average is None else _round(average))

    def valuate(self, quantity: Decimal, stated: Stated, fallback_cost: Decimal | None) -> Valuation:
        """Of a change by `quantity` (signed, not zero). `fallback_cost`: of stock of unknown cost.
        Raises ValueOutOfRange."""
        unit_cost = _unit_cost(quantity, stated)
        average = self.average
        if average is None:
            return self._first_cost(quantity, stated, fallback_cost if unit_cost is None else unit_cost)
        if quantity < 0:
            return self._take(-quantity, stated, unit_cost, average)
        return self._receive(quantity, stated, unit_cost, average)

    def _first_cost(self, quantity: Decimal, stated: Stated, cost: Decimal | None) -> Valuation:
        """The first known cost is also that of the stock there is."""
        if cost is None:
            return Valuation(ZERO, ZERO, None)
        amount = ZERO if stated.value is not None and stated.unit_cost is None else _amount(quantity, stated, cost)
        return self._corrected(quantity, amount, _round((self.quantity + quantity) * cost), cost)

    def _take(self, quantity: Decimal, stated: Stated, unit_cost: Decimal | None, average: Decimal) -> Valuation:
        rest = self.quantity - quantity
        if rest == 0:
            return Valuation(-self.value, ZERO, average if unit_cost is None else unit_cost)
        if unit_cost is not None and rest > 0:
            amount = _amount(quantity, stated, unit_cost)
            left = self.value - amount
            # Otherwise other stock has left at the average meanwhile, so that this cost is no longer in the level.
            if 0 <= left < rest * MAX_COST:
                return Valuation(-amount, ZERO, unit_cost)
        return Valuation(-_round(quantity * average), ZERO, average)

    def _receive(self, quantity: Decimal, stated: Stated, unit_cost: Decimal | None, average: Decimal) -> Valuation:
        rest = self.quantity + quantity
        if stated.value is not None and unit_cost is None:
            target = self.value + _round(quantity * average) if self.quantity >= 0 else _round(rest * average)
            return self._corrected(quantity, ZERO, target, average)
        if unit_cost is None:
            amount = _round(rest * average) - self.value if self.quantity < 0 else _round(quantity * average)
            return Valuation(amount, ZERO, average)
        amount = _amount(quantity, stated, unit_cost)
        if self.quantity >= 0:
            return Valuation(amount, ZERO, unit_cost)
        # What had left below zero is received now: from here on it counts at the cost of this receipt.
        covered = _round(self.value * rest / self.quantity) if rest < 0 else _round(rest * unit_cost)
        return self._corrected(quantity, amount, covered, unit_cost)

    def _corrected(self, quantity: Decimal, amount: Decimal, target: Decimal, unit_cost: Decimal) -> Valuation:
        """Goods of `amount`, with the correction after which the level's value is `target`."""
        correction = target - self.value - amount
        if abs(correction) <= _ROUNDING_NOISE and self.quantity + quantity != 0:
            correction = ZERO
        return Valuation(amount, correction, unit_cost)


def share_of(value: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """The value of `part` of `whole` units that are worth `value`; exactly `value` for all of them."""
    return value if part == whole else _round(value * part / whole)


def rounded_cost(unit_cost: Decimal | None) -> Decimal | None:
    """As it is shown."""
    return None if unit_cost is None else unit_cost.quantize(COST_QUANTUM, ROUND_HALF_EVEN)


def _unit_cost(quantity: Decimal, stated: Stated) -> Decimal | None:
    if stated.value is None or stated.unit_cost is None:
        return stated.unit_cost
    return stated.value / abs(quantity)


def _amount(quantity: Decimal, stated: Stated, unit_cost: Decimal) -> Decimal:
    """The value that the movement adds (positive quantity) or takes away."""
    return _round(quantity * unit_cost) if stated.value is None else stated.value.copy_sign(quantity)


def _round(value: Decimal) -> Decimal:
    if abs(value) >= MAX_VALUE:
        raise ValueOutOfRange()
    return value.quantize(VALUE_QUANTUM, ROUND_HALF_EVEN)
