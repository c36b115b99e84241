"""Why so much is to be ordered now."""

from decimal import Decimal

from stockbuddy.stock.insights.reasons import ReasonResponse, reason
from stockbuddy.stock.insights.reordering.schemas import SuggestionInputs, SuggestionResponse


def reasons_of(suggestion: SuggestionResponse) -> list[ReasonResponse]:
    inputs = suggestion.inputs
    reasons = [*_reasons_of_reorder_point(inputs), reason("position", units=inputs.position)]
    if inputs.cover_demand:
        reasons.append(reason("cover", units=inputs.cover_demand, days=inputs.cover_days))
    if inputs.minimum_quantity is not None and inputs.order_up_to - inputs.position < inputs.minimum_quantity:
        reasons.append(reason("minimum_quantity", units=inputs.minimum_quantity))
    if inputs.pack_size is not None:
        reasons.append(reason("pack_size", units=inputs.pack_size))
    if inputs.days_without_stock and inputs.demand_units:
        reasons.append(reason("days_without_stock", days=inputs.days_without_stock))
    return reasons


def _reasons_of_reorder_point(inputs: SuggestionInputs) -> list[ReasonResponse]:
    needed = inputs.lead_time_demand + inputs.safety_stock
    reasons = []
    if inputs.lead_time_demand:
        reasons.append(reason("lead_time", units=inputs.lead_time_demand, days=inputs.lead_time_days))
    if inputs.safety_stock:
        percent = round(Decimal(str(inputs.service_level)) * 100)
        reasons.append(reason("safety_stock", units=inputs.safety_stock, percent=percent))
    # Both are rounded to the quantity's last place.
    if inputs.reorder_point == inputs.low_stock_threshold and inputs.low_stock_threshold > needed:
        reasons.append(reason("threshold", units=inputs.low_stock_threshold))
    elif abs(inputs.reorder_point - needed) > Decimal("0.002"):
        reasons.append(reason("rule", units=inputs.reorder_point))
    return reasons
