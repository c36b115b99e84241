"""Suggests what to order now: the most urgent first, each with the figures that it follows from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.pagination import Page, PageQuery, encode_cursor
from stockbuddy.stock.calendar_days import day_of, days_until, starts_of
from stockbuddy.stock.insights.reordering import queries
from stockbuddy.stock.insights.reordering.policy import SERVICE_LEVEL, Advice, Situation, Wishes, advise
from stockbuddy.stock.insights.reordering.queries import Candidate
from stockbuddy.stock.insights.reordering.schemas import SuggestionInputs, SuggestionView

HISTORY_DAYS = 90
SORT = "urgency_asc"
_STEP = Decimal("0.001")

Key = tuple[Decimal, int, int]


async def suggest_orders(session: AsyncSession, zone: ZoneInfo, **chosen: Any) -> list[SuggestionView]:
    """`chosen` narrows by warehouse_id, supplier_id and product_ids."""
    starts = starts_of(days_until(day_of(datetime.now(UTC), zone), HISTORY_DAYS + 1), zone)
    candidates = await queries.fetch_candidates(session, starts, **chosen)
    advised = [(candidate, _advice(candidate)) for candidate in candidates]
    suggestions = [_suggestion(*pair) for pair in advised if pair[1].quantity > 0]
    return sorted(suggestions, key=_urgency)


def page_of(suggestions: Sequence[SuggestionView], paging: PageQuery) -> Page[SuggestionView]:
    """Raises Unprocessable for a cursor that is none of this list."""
    after = paging.after(SORT, Decimal, int, int)
    rest = suggestions[paging.offset :] if after is None else _behind(suggestions, after)
    items = list(rest[: paging.page_size])
    has_more = len(rest) > len(items)
    return Page(
        items=items,
        page=paging.page,
        page_size=paging.page_size,
        total=len(suggestions),
        next_cursor=encode_cursor(SORT, list(_urgency(items[-1]))) if has_more else None,
    )


def _behind(suggestions: Sequence[SuggestionView], after: Sequence[Any]) -> Sequence[SuggestionView]:
    return [suggestion for suggestion in suggestions if _urgency(suggestion) > tuple(after)]


def _urgency(suggestion: SuggestionView) -> Key:
    """How much of the reorder point is left; ties in a fixed order."""
    inputs = suggestion.inputs
    share = inputs.position / inputs.reorder_point if inputs.reorder_point else Decimal(0)
    return share.quantize(_STEP), suggestion.product_id, suggestion.warehouse_id


def _advice(candidate: Candidate) -> Advice:
    return advise(_situation(candidate), _wishes(candidate))


def _situation(candidate: Candidate) -> Situation:
    return Situation(
        candidate.on_hand,
        candidate.reserved,
        candidate.incoming,
        candidate.threshold,
        candidate.demand_per_day,
        candidate.deviation_per_day,
        candidate.supplier_lead_time_days,
    )


def _wishes(candidate: Candidate) -> Wishes:
    return Wishes(
        candidate.reorder_point,
        candidate.safety_stock,
        candidate.lead_time_days,
        candidate.cover_days,
        candidate.minimum_quantity,
        candidate.pack_size,
    )


def _suggestion(candidate: Candidate, advice: Advice) -> SuggestionView:
    position = _situation(candidate).position
    demand = candidate.demand_per_day
    return SuggestionView(
        product_id=candidate.product_id,
        sku=candidate.sku,
        name=candidate.name,
        warehouse_id=candidate.warehouse_id,
        warehouse_code=candidate.warehouse_code,
        supplier_id=candidate.supplier_id,
        supplier=candidate.supplier,
        quantity=advice.quantity,
        unit_cost=candidate.average_cost if candidate.cost_price is None else candidate.cost_price,
        days_left=max(position / demand, Decimal(0)).quantize(_STEP) if demand else None,
        inputs=SuggestionInputs(
            demand_units=candidate.demand_units,
            history_days=candidate.history_days,
            demand_per_day=demand.quantize(_STEP),
            deviation_per_day=candidate.deviation_per_day.quantize(_STEP),
            lead_time_days=advice.lead_time_days,
            cover_days=advice.cover_days,
            service_level=SERVICE_LEVEL,
            safety_stock=advice.safety_stock,
            low_stock_threshold=candidate.threshold,
            on_hand=candidate.on_hand,
            reserved=candidate.reserved,
            incoming=candidate.incoming,
            position=position,
            reorder_point=advice.reorder_point,
            order_up_to=advice.order_up_to,
            minimum_quantity=candidate.minimum_quantity,
            pack_size=candidate.pack_size,
            rule_id=candidate.rule_id,
        ),
    )
