"""Forecasts the demand for a product, or for many levels at once, from their movements."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.runtime import clock
from stockbuddy.stock.calendar_days import day_starts, days_until, local_date
from stockbuddy.stock.insights.forecasting import queries
from stockbuddy.stock.insights.forecasting.estimates import Basis, DemandEstimate, ProductForecast, Range, Supply
from stockbuddy.stock.insights.forecasting.reasons_of_forecast import reasons_of
from stockbuddy.stock.insights.forecasting.schemas import (
    DayForecastResponse,
    DemandHistory,
    ForecastQuery,
    ForecastResponse,
    Interval,
)
from stockbuddy.stock.insights.forecasting.weekday_factors import load_weekday_factors
from stockbuddy.stock.replicas.products.model import ProductReplica

WEEK = 7
LEVEL = 0.8
QUANTITY_QUANTUM = Decimal("0.001")
MIN_SERIES_DAYS = 70
"""The back-test needs rows of so many days, even if the product is newer."""
DAYS_OF_ALL_LEVELS = 126
"""A forecast of all levels reads 18 weeks of the ledger, so that it takes no longer than other reports."""
_COMPUTATION = "stockbuddy.stock.insights.forecasting.computation"


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days of a history: whole weeks that end the day before `until`."""

    until: date
    length: int
    zone: ZoneInfo

    @property
    def first(self) -> date:
        return self.until - timedelta(days=self.length)

    @property
    def starts(self) -> list[datetime]:
        """The beginnings of all days, and of the day after them."""
        return day_starts(days_until(self.until, self.length + 1), self.zone)


async def forecast_demand(
    session: AsyncSession, product: ProductReplica, zone: ZoneInfo, query: ForecastQuery
) -> ForecastResponse:
    today = local_date(clock.now(), zone)
    weekdays = await load_weekday_factors(session, today, zone)
    calendar = Calendar(today, _whole_weeks(query.history_days), zone)
    found = await _forecast_product(session, product.id, calendar, weekdays, query)
    if found is None or found.basis.days_with_demand == 0:
        # A product that was first moved today is forecast from today.
        until_now = Calendar(today + timedelta(days=1), calendar.length, zone)
        since_today = await _forecast_product(session, product.id, until_now, weekdays, query)
        if since_today is not None and since_today.basis.days == 1:
            found, calendar = since_today, until_now
    return _to_response(product, query, found or _without_demand(query, calendar), calendar, today)


async def estimate_demands(
    session: AsyncSession,
    zone: ZoneInfo,
    supplies: Mapping[tuple[int, int], Supply],
    service_level: float,
    product_ids: Sequence[int] | None,
) -> dict[tuple[int, int], DemandEstimate]:
    """The demand of each product and warehouse of `supplies`; those without movements and those with much stock are
    absent. `product_ids`: those of `supplies`, or None for all products."""
    today = local_date(clock.now(), zone)
    calendar = Calendar(today, DAYS_OF_ALL_LEVELS, zone)
    starts = calendar.starts
    rows = await queries.fetch_ledger(session, starts, product_ids)
    if not any(part.kind in ("demand", "other") for part in rows):
        return {}
    rows += await queries.fetch_reduced_sales(session, starts, product_ids)
    weekdays = rotate(await load_weekday_factors(session, today, zone), calendar.first)
    found = await _compute("estimate_demand", rows, calendar.length, weekdays, supplies, service_level)
    return cast(dict[tuple[int, int], DemandEstimate], found)


async def _forecast_product(
    session: AsyncSession, product_id: int, calendar: Calendar, weekdays: Sequence[float], query: ForecastQuery
) -> ProductForecast | None:
    starts = calendar.starts
    rows = await queries.fetch_ledger(session, starts, [product_id])
    rows += await queries.fetch_reduced_sales(session, starts, [product_id])
    found = await _compute(
        "forecast_product",
        rows,
        (product_id, query.warehouse_id),
        calendar.length,
        rotate(weekdays, calendar.first),
        query.history_days,
        query.horizon_days,
    )
    return cast(ProductForecast | None, found)


async def _compute(function: str, *arguments: object) -> object:
    """Call a function of the module `computation` in a thread: loading it and computing would delay other requests."""

    def call() -> object:
        return getattr(importlib.import_module(_COMPUTATION), function)(*arguments)

    return await asyncio.to_thread(call)


def rotate(weekday_factors: Sequence[float], first: date) -> list[float]:
    """Factors from the weekday of `first` on, of factors from Monday on."""
    return [weekday_factors[(first.weekday() + number) % WEEK] for number in range(WEEK)]


def _whole_weeks(days: int) -> int:
    return max(-(-days // WEEK) * WEEK, MIN_SERIES_DAYS)


def _without_demand(query: ForecastQuery, calendar: Calendar) -> ProductForecast:
    nothing = Range(0.0, 0.0, 0.0)
    basis = Basis("none", 0, calendar.length - 1, 1, 0, 0, 0, 0.0)
    return ProductForecast(basis, nothing, nothing, [nothing] * query.horizon_days)


def _to_response(
    product: ProductReplica, query: ForecastQuery, found: ProductForecast, calendar: Calendar, today: date
) -> ForecastResponse:
    basis = found.basis
    return ForecastResponse(
        product_id=product.id,
        sku=product.sku,
        warehouse_id=query.warehouse_id,
        method=basis.method,
        explanation=reasons_of(basis),
        history=DemandHistory(
            since=calendar.first + timedelta(days=basis.first_day),
            days=basis.days,
            days_with_demand=basis.days_with_demand,
            days_without_stock=basis.days_without_stock,
            days_with_promotion=basis.days_with_promotion,
            units=to_quantity(basis.units),
        ),
        demand_per_day=to_quantity(found.per_day.mean),
        interval=_to_interval(found.per_day),
        total=to_quantity(found.total.mean),
        total_interval=_to_interval(found.total),
        days=[
            DayForecastResponse(
                date=today + timedelta(days=ahead), expected=to_quantity(day.mean), interval=_to_interval(day)
            )
            for ahead, day in enumerate(found.days)
        ],
        timezone=calendar.zone.key,
    )


def _to_interval(range_: Range) -> Interval:
    return Interval(level=LEVEL, low=to_quantity(range_.low), high=to_quantity(range_.high))


def to_quantity(value: float) -> Decimal:
    return Decimal(str(value)).quantize(QUANTITY_QUANTUM)
