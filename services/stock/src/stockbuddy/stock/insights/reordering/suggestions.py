"""Computes reorder suggestions, the most urgent first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.pagination import PageQuery, PageSlice, encode_cursor
from stockbuddy.stock.insights.forecasting.estimates import Basis, DemandEstimate, Period, Supply
from stockbuddy.stock.insights.forecasting.forecast import estimate_demands, to_quantity
from stockbuddy.stock.insights.reordering.candidates import Candidate, fetch_candidates
from stockbuddy.stock.insights.reordering.policy import (
    QUANTITY_QUANTUM,
    SERVICE_LEVEL,
    ZERO,
    Recommendation,
    StockPosition,
    period_of,
    recommend,
)
from stockbuddy.stock.insights.reordering.reasons_of_suggestion import reasons_of
from stockbuddy.stock.insights.reordering.schemas import SuggestionInputs, SuggestionResponse

NO_DEMAND = DemandEstimate(Basis("none", 0, 0, 1, 0, 0, 0, 0.0), 0.0, 0.0, 0.0, 0.0, 0.0)
SORT_ORDER = "urgency_asc"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A candidate of which `recommendation.quantity`, not zero, is to be ordered."""

    candidate: Candidate
    demand: DemandEstimate
    period: Period
    recommendation: Recommendation

    @property
    def unit_cost(self) -> Decimal | None:
        return self.candidate.average_cost if self.candidate.cost_price is None else self.candidate.cost_price

    @property
    def sort_key(self) -> tuple[Decimal, int, int]:
        """The inventory position in relation to the reorder point; ids make the order total."""
        reorder_point = self.recommendation.reorder_point
        share = self.candidate.inventory_position / reorder_point if reorder_point else ZERO
        return share.quantize(QUANTITY_QUANTUM), self.candidate.product_id, self.candidate.warehouse_id


async def compute_suggestions(
    session: AsyncSession,
    zone: ZoneInfo,
    *,
    warehouse_id: int | None = None,
    supplier_id: int | None = None,
    product_ids: Sequence[int] | None = None,
) -> list[Suggestion]:
    """Suggestions for all products, or those selected. Days of past demand begin and end in `zone`."""
    candidates = await fetch_candidates(
        session, warehouse_id=warehouse_id, supplier_id=supplier_id, product_ids=product_ids
    )
    supplies = {(candidate.product_id, candidate.warehouse_id): _supply_of(candidate) for candidate in candidates}
    is_selection = supplier_id is not None or product_ids is not None
    selected = sorted({candidate.product_id for candidate in candidates}) if is_selection else None
    demands = await estimate_demands(session, zone, supplies, SERVICE_LEVEL, selected)
    suggestions = []
    for candidate in candidates:
        key = candidate.product_id, candidate.warehouse_id
        supply = supplies[key]
        demand = demands.get(key, NO_DEMAND)
        if demand is NO_DEMAND and supply.position > supply.least_reorder_point:
            continue
        recommendation = recommend(_position_of(candidate, demand), candidate.parameters)
        if recommendation.quantity > 0:
            suggestions.append(Suggestion(candidate, demand, supply.period, recommendation))
    return sorted(suggestions, key=lambda suggestion: suggestion.sort_key)


def slice_page(suggestions: Sequence[Suggestion], query: PageQuery) -> PageSlice[SuggestionResponse]:
    """Raises Unprocessable if the cursor belongs to another list."""
    position = query.position(SORT_ORDER, Decimal, int, int)
    if position is None:
        remaining = suggestions[query.offset :]
    else:
        remaining = [suggestion for suggestion in suggestions if suggestion.sort_key > tuple(position)]
    page = remaining[: query.page_size]
    next_cursor = encode_cursor(SORT_ORDER, page[-1].sort_key) if len(remaining) > len(page) else None
    return PageSlice([_to_response(suggestion) for suggestion in page], len(suggestions), next_cursor)


def _supply_of(candidate: Candidate) -> Supply:
    parameters = candidate.parameters
    period = period_of(parameters, candidate.supplier_lead_time_days)
    least = candidate.low_stock_threshold if parameters.reorder_point is None else parameters.reorder_point
    return Supply(period, float(candidate.inventory_position), float(least))


def _position_of(candidate: Candidate, demand: DemandEstimate) -> StockPosition:
    return StockPosition(
        on_hand=candidate.on_hand,
        reserved=candidate.reserved,
        incoming=candidate.incoming,
        low_stock_threshold=candidate.low_stock_threshold,
        lead_time_demand=to_quantity(demand.lead_time_demand),
        cover_demand=to_quantity(demand.cover_demand),
        safety_stock=to_quantity(demand.safety_stock),
    )


def _to_response(suggestion: Suggestion) -> SuggestionResponse:
    candidate, demand, recommendation = suggestion.candidate, suggestion.demand, suggestion.recommendation
    position = candidate.inventory_position
    per_day = to_quantity(demand.per_day)
    response = SuggestionResponse(
        product_id=candidate.product_id,
        sku=candidate.sku,
        name=candidate.name,
        warehouse_id=candidate.warehouse_id,
        warehouse_code=candidate.warehouse_code,
        supplier_id=candidate.supplier_id,
        supplier=candidate.supplier,
        quantity=recommendation.quantity,
        unit_cost=suggestion.unit_cost,
        days_left=max(position / per_day, ZERO).quantize(QUANTITY_QUANTUM) if per_day else None,
        explanation=[],
        inputs=SuggestionInputs(
            method=demand.basis.method,
            demand_units=to_quantity(demand.basis.units),
            history_days=demand.basis.days,
            days_without_stock=demand.basis.days_without_stock,
            days_with_promotion=demand.basis.days_with_promotion,
            demand_per_day=per_day,
            deviation_per_day=to_quantity(demand.deviation_per_day),
            lead_time_days=suggestion.period.lead_time_days,
            lead_time_demand=to_quantity(demand.lead_time_demand),
            cover_days=suggestion.period.cover_days,
            cover_demand=to_quantity(demand.cover_demand),
            service_level=SERVICE_LEVEL,
            safety_stock=recommendation.safety_stock,
            low_stock_threshold=candidate.low_stock_threshold,
            on_hand=candidate.on_hand,
            reserved=candidate.reserved,
            incoming=candidate.incoming,
            position=position,
            reorder_point=recommendation.reorder_point,
            order_up_to=recommendation.order_up_to,
            minimum_quantity=candidate.minimum_quantity,
            pack_size=candidate.pack_size,
            rule_id=candidate.rule_id,
        ),
    )
    return response.model_copy(update={"explanation": reasons_of(response)})
