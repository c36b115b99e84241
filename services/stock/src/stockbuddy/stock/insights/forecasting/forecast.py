"""Computes a forecast from the product's past demand and the weekday factors of all products together."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.stock.calendar_days import day_starts, days_until, local_date
from stockbuddy.stock.insights.forecasting import queries
from stockbuddy.stock.insights.forecasting.schemas import (
    DayForecastResponse,
    DemandHistory,
    ForecastQuery,
    ForecastResponse,
    Interval,
)
from stockbuddy.stock.insights.forecasting.tsb import (
    LEVEL,
    DayForecast,
    fit,
    forecast_day,
    forecast_days,
    weekday_factors,
)
from stockbuddy.stock.replicas.products.model import ProductReplica

_QUANTITY_QUANTUM = Decimal("0.001")
WEEKDAY_HISTORY_DAYS = 56


async def forecast_demand(
    session: AsyncSession, product: ProductReplica, zone: ZoneInfo, query: ForecastQuery
) -> ForecastResponse:
    today = local_date(datetime.now(UTC), zone)
    past_days = await _past_days(session, product.id, query, today, zone)
    daily_demand = await queries.fetch_daily_demand(
        session, product.id, query.warehouse_id, day_starts(past_days, zone)
    )
    demand = fit(daily_demand)
    days = [today + timedelta(days=ahead) for ahead in range(query.horizon_days)]
    weekdays = await _weekday_factors(session, query.warehouse_id, today, zone)
    factors = [weekdays[day.weekday()] for day in days]
    total = forecast_days(demand, factors)
    return ForecastResponse(
        product_id=product.id,
        sku=product.sku,
        warehouse_id=query.warehouse_id,
        method="tsb",
        history=DemandHistory(
            since=past_days[0],
            days=len(daily_demand),
            days_with_demand=len(demand.sizes),
            units=_to_quantity(sum(daily_demand)),
        ),
        demand_per_day=_to_quantity(demand.per_day),
        interval=_to_interval(forecast_day(demand)),
        total=_to_quantity(total.mean),
        total_interval=_to_interval(total),
        days=[_to_response(day, forecast_day(demand, factor)) for day, factor in zip(days, factors, strict=True)],
        timezone=zone.key,
    )


async def _past_days(
    session: AsyncSession, product_id: int, query: ForecastQuery, today: date, zone: ZoneInfo
) -> list[date]:
    """Complete days since the first movement, plus the first day to forecast. Today counts as complete if the first
    movement is of today."""
    first_at = await queries.fetch_first_movement_time(session, product_id, query.warehouse_id)
    first = today if first_at is None else local_date(first_at, zone)
    complete_days = (today - first).days
    if complete_days <= 0:
        return [today, today + timedelta(days=1)]
    return days_until(today, min(complete_days, query.history_days) + 1)


async def _weekday_factors(session: AsyncSession, warehouse_id: int | None, today: date, zone: ZoneInfo) -> list[float]:
    """The weekday factors of all products together, from the first day with demand on."""
    days = days_until(today, WEEKDAY_HISTORY_DAYS + 1)
    demand = await queries.fetch_total_daily_demand(session, warehouse_id, day_starts(days, zone))
    first = next((index for index, quantity in enumerate(demand) if quantity), len(demand))
    return weekday_factors(demand[first:], days[first].weekday())


def _to_response(day: date, forecast: DayForecast) -> DayForecastResponse:
    return DayForecastResponse(date=day, expected=_to_quantity(forecast.mean), interval=_to_interval(forecast))


def _to_interval(forecast: DayForecast) -> Interval:
    return Interval(level=LEVEL, low=_to_quantity(forecast.low), high=_to_quantity(forecast.high))


def _to_quantity(value: float) -> Decimal:
    return Decimal(str(value)).quantize(_QUANTITY_QUANTUM)
