"""Puts a forecast together: the product's own history, the shop's weekdays, and the days to come."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.stock.calendar_days import day_of, days_until, starts_of
from stockbuddy.stock.insights.forecasting import queries
from stockbuddy.stock.insights.forecasting.schemas import DayForecast, DemandHistory, ForecastView, Interval
from stockbuddy.stock.insights.forecasting.tsb import LEVEL, Expected, expect_day, expect_days, fit, weekday_factors
from stockbuddy.stock.replicas.products.queries import ProductReplica

_STEP = Decimal("0.001")
SHOP_DAYS = 56
"""Weekdays are told apart by the last eight weeks."""


async def forecast_demand(
    session: AsyncSession,
    product: ProductReplica,
    warehouse_id: int | None,
    zone: ZoneInfo,
    *,
    history_days: int,
    horizon_days: int,
) -> ForecastView:
    today = day_of(datetime.now(UTC), zone)
    days = await _history(session, product.id, warehouse_id, today, zone, history_days)
    demand_by_day = await queries.fetch_daily_demand(session, product.id, warehouse_id, starts_of(days, zone))
    shop_days = days_until(today, SHOP_DAYS + 1)
    shop = await queries.fetch_shop_demand(session, warehouse_id, starts_of(shop_days, zone))
    factors = weekday_factors(_since_first(shop), (shop_days[-1] - timedelta(len(_since_first(shop)))).weekday())
    demand = fit(demand_by_day)
    coming = [today + timedelta(days=ahead) for ahead in range(horizon_days)]
    ahead = [factors[day.weekday()] for day in coming]
    total = expect_days(demand, ahead)
    return ForecastView(
        product_id=product.id,
        sku=product.sku,
        warehouse_id=warehouse_id,
        method="tsb",
        history=DemandHistory(
            since=days[0],
            days=len(demand_by_day),
            days_with_demand=len(demand.sizes),
            units=_quantity(sum(demand_by_day)),
        ),
        demand_per_day=_quantity(demand.per_day),
        interval=_interval(expect_day(demand)),
        total=_quantity(total.mean),
        total_interval=_interval(total),
        days=[_day(day, expect_day(demand, factor)) for day, factor in zip(coming, ahead, strict=True)],
        timezone=zone.key,
    )


async def _history(
    session: AsyncSession, product_id: int, warehouse_id: int | None, today: date, zone: ZoneInfo, most_days: int
) -> list[date]:
    """The days to learn from, and the one after them: those that have ended; today, of a product that came today."""
    first_at = await queries.first_movement_at(session, product_id, warehouse_id)
    first = today if first_at is None else day_of(first_at, zone)
    known_days = (today - first).days
    if known_days <= 0:
        return [today, today + timedelta(days=1)]
    return days_until(today, min(known_days, most_days) + 1)


def _since_first(totals: list[float]) -> list[float]:
    """Without the days before the shop's first."""
    first = next((index for index, total in enumerate(totals) if total), len(totals))
    return totals[first:]


def _day(day: date, expected: Expected) -> DayForecast:
    return DayForecast(date=day, expected=_quantity(expected.mean), interval=_interval(expected))


def _interval(expected: Expected) -> Interval:
    return Interval(level=LEVEL, low=_quantity(expected.low), high=_quantity(expected.high))


def _quantity(value: float) -> Decimal:
    return Decimal(str(value)).quantize(_STEP)
