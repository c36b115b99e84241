"""Computes forecasts from movements. Imported with the first forecast, since numpy takes 27 MB and 0.2 s."""

from collections.abc import Mapping, Sequence

import numpy as np

from stockbuddy.stock.insights.forecasting.demand_history import DemandHistory, Key, build_history
from stockbuddy.stock.insights.forecasting.estimates import Basis, DemandEstimate, Period, ProductForecast, Range
from stockbuddy.stock.insights.forecasting.outlook import Outlook, forecast
from stockbuddy.stock.insights.forecasting.queries import MovedLevel, ReducedSales
from stockbuddy.stock.insights.forecasting.series import WEEK

MAX_DAYS_AHEAD = 90


def forecast_product(
    levels: Sequence[MovedLevel],
    reduced: Sequence[ReducedSales],
    days: int,
    weekday_factors: Sequence[float],
    history_days: int,
    horizon_days: int,
) -> ProductForecast | None:
    """The forecast for one product in all warehouses of `levels` together; None if nothing was moved. `days`: those
    of the history that the levels are numbered in, whole weeks; `history_days`: at most so many of them count."""
    history = build_history(
        levels, reduced, days, weekday_factors, by_warehouse=False, min_start=max(days - history_days, 0)
    )
    if not history.columns:
        return None
    found = forecast(history.series, max(horizon_days, WEEK))
    horizon = np.array([horizon_days])
    (low,), (high,) = found.sum_interval(horizon)
    ranges = [
        Range(float(mean), float(least), float(most))
        for mean, least, most in zip(found.mean[:, 0], found.low[:, 0], found.high[:, 0], strict=True)
    ]
    week = ranges[:WEEK]
    return ProductForecast(
        basis=_basis_of(history, found, 0),
        per_day=Range(*(sum(getattr(day, name) for day in week) / WEEK for name in ("mean", "low", "high"))),
        total=Range(float(found.sum_until(horizon)[0]), float(low), float(high)),
        days=ranges[:horizon_days],
    )


def estimate_demand(
    levels: Sequence[MovedLevel],
    reduced: Sequence[ReducedSales],
    days: int,
    weekday_factors: Sequence[float],
    periods: Mapping[Key, Period],
    service_level: float,
) -> dict[Key, DemandEstimate]:
    """The demand of each product and warehouse that has a period and was moved, in its period."""
    wanted = [level for level in levels if (level.product_id, level.warehouse_id) in periods]
    history = build_history(wanted, reduced, days, weekday_factors, by_warehouse=True)
    keys = list(history.columns)
    lead_times = np.array([periods[key].lead_time_days for key in keys], np.int64)
    ends = lead_times + np.array([periods[key].cover_days for key in keys], np.int64)
    found = forecast(history.series, min(max([WEEK, *ends.tolist()]), MAX_DAYS_AHEAD))
    until_delivery = found.sum_until(lead_times)
    safety_stock = np.maximum(found.sum_quantile(lead_times, service_level) - until_delivery, 0.0)
    per_day = found.sum_until(np.full_like(lead_times, WEEK)) / WEEK
    deviation = np.sqrt(found.dispersion * per_day)
    cover = found.sum_until(ends) - until_delivery
    figures = np.stack([per_day, deviation, until_delivery, cover, safety_stock], axis=1).tolist()
    return {key: DemandEstimate(_basis_of(history, found, column), *figures[column]) for column, key in enumerate(keys)}


def _basis_of(history: DemandHistory, found: Outlook, column: int) -> Basis:
    first = int(history.series.starts[column])
    demand = history.series.demand[first:, column]
    return Basis(
        method=found.method[column],
        methods=found.methods if found.is_compared[column] else 0,
        first_day=first,
        days=len(demand),
        days_with_demand=int(np.count_nonzero(demand)),
        days_without_stock=int(found.days_without_stock[column]),
        days_with_promotion=int(found.days_with_promotion[column]),
        units=float(demand.sum()),
    )
