"""Moving average cost of a level."""

from decimal import ROUND_HALF_EVEN, Decimal

COST_QUANTUM = Decimal("0.0001")
MAX_COST = Decimal(10) ** 14
"""Bound of numeric(18, 4)."""


def average_after(
    on_hand: Decimal, average: Decimal | None, quantity: Decimal, unit_cost: Decimal | None
) -> Decimal | None:
    """The average after a change by `quantity` (signed) at `unit_cost`.

    Outgoing stock does not change it. Incoming stock sets it if the level was empty or negative. Stock of unknown cost
    (None) counts as costing the average.
    """
    if quantity <= 0 or unit_cost is None:
        return average
    if average is None or on_hand <= 0:
        return unit_cost.quantize(COST_QUANTUM, ROUND_HALF_EVEN)
    value = on_hand * average + quantity * unit_cost
    return (value / (on_hand + quantity)).quantize(COST_QUANTUM, ROUND_HALF_EVEN)


def average_without(on_hand: Decimal, average: Decimal | None, quantity: Decimal, unit_cost: Decimal) -> Decimal | None:
    """The average as if `quantity` (positive) had never been received at `unit_cost`: for reversals of receipts. If
    the remaining stock cannot have such an average, because other stock has left since, it does not change."""
    rest = on_hand - quantity
    if average is None or rest <= 0:
        return average
    without = (on_hand * average - quantity * unit_cost) / rest
    return without.quantize(COST_QUANTUM, ROUND_HALF_EVEN) if 0 <= without < MAX_COST else average
