"""Computes reorder suggestions, the most urgent first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.pagination import PageQuery, PageSlice, encode_cursor
from stockbuddy.stock.calendar_days import day_starts, days_until, local_date
from stockbuddy.stock.insights.reordering.candidates import Candidate, fetch_candidates
from stockbuddy.stock.insights.reordering.policy import (
    QUANTITY_QUANTUM,
    SERVICE_LEVEL,
    ZERO,
    Recommendation,
    recommend,
)
from stockbuddy.stock.insights.reordering.schemas import SuggestionInputs, SuggestionResponse

HISTORY_DAYS = 90
SORT_ORDER = "urgency_asc"


async def compute_suggestions(
    session: AsyncSession,
    zone: ZoneInfo,
    *,
    warehouse_id: int | None = None,
    supplier_id: int | None = None,
    product_ids: Sequence[int] | None = None,
) -> list[SuggestionResponse]:
    """Suggestions for all products, or those selected. Days of past demand begin and end in `zone`."""
    starts = day_starts(days_until(local_date(datetime.now(UTC), zone), HISTORY_DAYS + 1), zone)
    candidates = await fetch_candidates(
        session, starts, warehouse_id=warehouse_id, supplier_id=supplier_id, product_ids=product_ids
    )
    recommendations = [recommend(candidate.stock_position, candidate.parameters) for candidate in candidates]
    suggestions = [
        _to_response(candidate, recommendation)
        for candidate, recommendation in zip(candidates, recommendations, strict=True)
        if recommendation.quantity > 0
    ]
    return sorted(suggestions, key=_sort_key)


def slice_page(suggestions: Sequence[SuggestionResponse], query: PageQuery) -> PageSlice[SuggestionResponse]:
    """Raises Unprocessable if the cursor belongs to another list."""
    position = query.position(SORT_ORDER, Decimal, int, int)
    if position is None:
        remaining = suggestions[query.offset :]
    else:
        remaining = [suggestion for suggestion in suggestions if _sort_key(suggestion) > tuple(position)]
    page = remaining[: query.page_size]
    next_cursor = encode_cursor(SORT_ORDER, _sort_key(page[-1])) if len(remaining) > len(page) else None
    return PageSlice(page, len(suggestions), next_cursor)


def _sort_key(suggestion: SuggestionResponse) -> tuple[Decimal, int, int]:
    """The inventory position in relation to the reorder point; ids make the order total."""
    inputs = suggestion.inputs
    share = inputs.position / inputs.reorder_point if inputs.reorder_point else ZERO
    return share.quantize(QUANTITY_QUANTUM), suggestion.product_id, suggestion.warehouse_id


def _to_response(candidate: Candidate, recommendation: Recommendation) -> SuggestionResponse:
    position = candidate.stock_position.inventory_position
    demand = candidate.demand_per_day
    return SuggestionResponse(
        product_id=candidate.product_id,
        sku=candidate.sku,
        name=candidate.name,
        warehouse_id=candidate.warehouse_id,
        warehouse_code=candidate.warehouse_code,
        supplier_id=candidate.supplier_id,
        supplier=candidate.supplier,
        quantity=recommendation.quantity,
        unit_cost=candidate.average_cost if candidate.cost_price is None else candidate.cost_price,
        days_left=max(position / demand, ZERO).quantize(QUANTITY_QUANTUM) if demand else None,
        inputs=SuggestionInputs(
            demand_units=candidate.demand_units,
            history_days=candidate.history_days,
            demand_per_day=demand.quantize(QUANTITY_QUANTUM),
            deviation_per_day=candidate.deviation_per_day.quantize(QUANTITY_QUANTUM),
            lead_time_days=recommendation.lead_time_days,
            cover_days=recommendation.cover_days,
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
