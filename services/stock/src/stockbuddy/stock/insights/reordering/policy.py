"""When to reorder and how much: by continuous review with a reorder point and an order-up-to level (an (s, S) policy).

    safety stock  = z * deviation of a day's demand * sqrt(lead time)
    reorder point = demand per day * lead time + safety stock, and never below the product's low-stock threshold
    order up to   = reorder point + demand per day * days to cover
    position      = on hand - reserved + incoming

E. Silver, D. Pyke, D. Thomas: Inventory and Production Management in Supply Chains, 4th ed. (2017), ch. 6.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal

SERVICE_FACTOR = Decimal("1.645")
"""z of a service level of 95 %: in so many cycles of reordering nothing runs out."""
SERVICE_LEVEL = 0.95
DEFAULT_LEAD_TIME_DAYS = 7
DEFAULT_COVER_DAYS = 14
_STEP = Decimal("0.001")
_WHOLE = Decimal(1)
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What people have settled; null leaves it to the rest."""

    reorder_point: Decimal | None = None
    safety_stock: Decimal | None = None
    lead_time_days: int | None = None
    cover_days: int | None = None
    minimum_quantity: Decimal | None = None
    pack_size: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """What there is, what is coming, and what a day asks for (its mean and standard deviation)."""

    on_hand: Decimal
    reserved: Decimal
    incoming: Decimal
    threshold: Decimal
    demand_per_day: Decimal
    deviation_per_day: Decimal
    supplier_lead_time_days: int | None

    @property
    def position(self) -> Decimal:
        return self.on_hand - self.reserved + self.incoming


@dataclass(frozen=True, slots=True)
class Advice:
    """`quantity` is zero when nothing needs to be ordered."""

    lead_time_days: int
    cover_days: int
    safety_stock: Decimal
    reorder_point: Decimal
    order_up_to: Decimal
    quantity: Decimal


def advise(situation: Situation, wishes: Wishes) -> Advice:
    lead_time_days = _first(wishes.lead_time_days, situation.supplier_lead_time_days, DEFAULT_LEAD_TIME_DAYS)
    cover_days = _first(wishes.cover_days, DEFAULT_COVER_DAYS)
    safety_stock = wishes.safety_stock
    if safety_stock is None:
        safety_stock = SERVICE_FACTOR * situation.deviation_per_day * Decimal(lead_time_days).sqrt()
    reorder_point = wishes.reorder_point
    if reorder_point is None:
        reorder_point = max(situation.demand_per_day * lead_time_days + safety_stock, situation.threshold)
    order_up_to = reorder_point + situation.demand_per_day * cover_days
    quantity = ZERO
    if situation.position <= reorder_point:
        quantity = _order_quantity(order_up_to - situation.position, wishes)
    return Advice(
        lead_time_days, cover_days, _rounded(safety_stock), _rounded(reorder_point), _rounded(order_up_to), quantity
    )


def _order_quantity(missing: Decimal, wishes: Wishes) -> Decimal:
    """In whole packs, at least the minimum, if anything is missing at all."""
    if missing <= 0:
        return ZERO
    pack = wishes.pack_size or _WHOLE
    wanted = max(missing, wishes.minimum_quantity or ZERO)
    return (wanted / pack).to_integral_value(ROUND_CEILING) * pack


def _first(*values: int | None) -> int:
    return next(value for value in values if value is not None)


def _rounded(quantity: Decimal) -> Decimal:
    return quantity.quantize(_STEP, ROUND_HALF_EVEN)
