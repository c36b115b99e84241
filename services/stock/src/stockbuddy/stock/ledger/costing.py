"""The moving average: what a unit of a level costs, kept as stock comes and goes."""

from decimal import ROUND_HALF_EVEN, Decimal

COST_STEP = Decimal("0.0001")
LIMIT = Decimal(10) ** 14
"""numeric(18, 4) ends here."""


def average_after(
    on_hand: Decimal, average: Decimal | None, quantity: Decimal, unit_cost: Decimal | None
) -> Decimal | None:
    """The average once `quantity` (signed) has come at `unit_cost` or gone.

    What goes leaves the average as it is. What comes to an empty or overdrawn level sets it. Unknown costs
    (None) count as the average.
    """
    if quantity <= 0 or unit_cost is None:
        return average
    if average is None or on_hand <= 0:
        return unit_cost.quantize(COST_STEP, ROUND_HALF_EVEN)
    value = on_hand * average + quantity * unit_cost
    return (value / (on_hand + quantity)).quantize(COST_STEP, ROUND_HALF_EVEN)


def average_without(on_hand: Decimal, average: Decimal | None, quantity: Decimal, unit_cost: Decimal) -> Decimal | None:
    """The average as if `quantity` (positive) had never come at `unit_cost`: for reversals of receipts. When too much
    has gone meanwhile for that to make sense, the average stays."""
    rest = on_hand - quantity
    if average is None or rest <= 0:
        return average
    without = (on_hand * average - quantity * unit_cost) / rest
    return without.quantize(COST_STEP, ROUND_HALF_EVEN) if 0 <= without < LIMIT else average
