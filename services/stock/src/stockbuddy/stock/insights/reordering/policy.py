"""When and how much to reorder: continuous review with a reorder point and an order-up-to level, an (s, S) policy.

    safety stock       = demand of the lead time that is not exceeded with the service level - expected demand of it
    reorder point      = expected demand of the lead time + safety stock, at least the product's low-stock threshold
    order-up-to level  = reorder point + expected demand of the cover days after it
    inventory position = on hand - reserved + incoming

E. Silver, D. Pyke, D. Thomas: Inventory and Production Management in Supply Chains, 4th ed. (2017), ch. 6.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal

from stockbuddy.stock.insights.forecasting.estimates import Period

SERVICE_LEVEL = 0.95
"""The share of reorder cycles without a shortage."""
DEFAULT_LEAD_TIME_DAYS = 7
DEFAULT_COVER_DAYS = 14
QUANTITY_QUANTUM = Decimal("0.001")
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class ReorderParameters:
    """Reorder parameters set by users; None = computed."""

    reorder_point: Decimal | None = None
    safety_stock: Decimal | None = None
    lead_time_days: int | None = None
    cover_days: int | None = None
    minimum_quantity: Decimal | None = None
    pack_size: Decimal | None = None


@dataclass(frozen=True, slots=True)
class StockPosition:
    """Quantities of a product in a warehouse, and its demand there: expected in the lead time and in the cover days
    after it, and the computed safety stock."""

    on_hand: Decimal
    reserved: Decimal
    incoming: Decimal
    low_stock_threshold: Decimal
    lead_time_demand: Decimal = ZERO
    cover_demand: Decimal = ZERO
    safety_stock: Decimal = ZERO

    @property
    def inventory_position(self) -> Decimal:
        return self.on_hand - self.reserved + self.incoming


@dataclass(frozen=True, slots=True)
class Recommendation:
    """`quantity` to order now, zero if none is needed, and the parameters that apply."""

    safety_stock: Decimal
    reorder_point: Decimal
    order_up_to: Decimal
    quantity: Decimal


def period_of(parameters: ReorderParameters, supplier_lead_time_days: int | None) -> Period:
    lead_time_days = supplier_lead_time_days if parameters.lead_time_days is None else parameters.lead_time_days
    return Period(
        DEFAULT_LEAD_TIME_DAYS if lead_time_days is None else lead_time_days,
        DEFAULT_COVER_DAYS if parameters.cover_days is None else parameters.cover_days,
    )


def recommend(stock: StockPosition, parameters: ReorderParameters) -> Recommendation:
    safety_stock = stock.safety_stock if parameters.safety_stock is None else parameters.safety_stock
    reorder_point = parameters.reorder_point
    if reorder_point is None:
        reorder_point = max(stock.lead_time_demand + safety_stock, stock.low_stock_threshold)
    order_up_to = reorder_point + stock.cover_demand
    quantity = ZERO
    if stock.inventory_position <= reorder_point:
        quantity = _order_quantity(order_up_to - stock.inventory_position, parameters)
    return Recommendation(_rounded(safety_stock), _rounded(reorder_point), _rounded(order_up_to), quantity)


def _order_quantity(missing: Decimal, parameters: ReorderParameters) -> Decimal:
    """`missing`, at least the minimum quantity, rounded up to whole packs; zero if nothing is missing."""
    if missing <= 0:
        return ZERO
    pack_size = parameters.pack_size or Decimal(1)
    quantity = max(missing, parameters.minimum_quantity or ZERO)
    return (quantity / pack_size).to_integral_value(ROUND_CEILING) * pack_size


def _rounded(quantity: Decimal) -> Decimal:
    return quantity.quantize(QUANTITY_QUANTUM, ROUND_HALF_EVEN)
