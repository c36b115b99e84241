"""Computes forecasts from movements. Imported with the first forecast, since numpy takes 27 MB and 0.2 s."""

from collections.abc import Mapping, Sequence

import numpy as np

from stockbuddy.stock.insights.forecasting.demand_history import Key, build_history
from stockbuddy.stock.insights.forecasting.estimates import (
    Basis,
    DemandEstimate,
    ProductForecast,
    Range,
    Supply,
)
from stockbuddy.stock.insights.forecasting.outlook import Outlook, forecast
from stockbuddy.stock.insights.forecasting.queries import MovedLevel, ReducedSales
from stockbuddy.stock.insights.forecasting.series import WEEK, DemandSeries, Floats, Integers

MAX_DAYS_AHEAD = 90
MAX_GROWTH = 3.0
"""A level with more stock than this multiple of the largest demand of any lead time is not reordered."""


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
        basis=_basis_of(history.series, found, 0),
        per_day=Range(*(sum(getattr(day, name) for day in week) / WEEK for name in ("mean", "low", "high"))),
        total=Range(float(found.sum_until(horizon)[0]), float(low), float(high)),
        days=ranges[:horizon_days],
    )


def estimate_demand(
    levels: Sequence[MovedLevel],
    reduced: Sequence[ReducedSales],
    days: int,
    weekday_factors: Sequence[float],
    supplies: Mapping[Key, Supply],
    service_level: float,
) -> dict[Key, DemandEstimate]:
    """The demand of each product and warehouse that was moved and may have to be reordered, in its period."""
    wanted = [level for level in levels if (level.product_id, level.warehouse_id) in supplies]
    history = build_history(wanted, reduced, days, weekday_factors, by_warehouse=True)
    known = list(history.columns)
    lead_times = np.array([supplies[key].period.lead_time_days for key in known], np.int64)
    limits = np.array([supplies[key].least_reorder_point for key in known])
    positions = np.array([supplies[key].position for key in known])
    limits = np.maximum(limits, MAX_GROWTH * largest_demands(history.series, lead_times))
    columns = np.flatnonzero(positions <= limits)
    if not len(columns):
        return {}
    series, keys, lead_times = history.series.part(columns), [known[column] for column in columns], lead_times[columns]
    ends = lead_times + np.array([supplies[key].period.cover_days for key in keys], np.int64)
    found = forecast(series, min(max([WEEK, *ends.tolist()]), MAX_DAYS_AHEAD))
    until_delivery = found.sum_until(lead_times)
    safety_stock = np.maximum(found.sum_quantile(lead_times, service_level) - until_delivery, 0.0)
    per_day = found.sum_until(np.full_like(lead_times, WEEK)) / WEEK
    deviation = np.sqrt(found.dispersion * per_day)
    cover = found.sum_until(ends) - until_delivery
    figures = np.stack([per_day, deviation, until_delivery, cover, safety_stock], axis=1).tolist()
    return {key: DemandEstimate(_basis_of(series, found, column), *figures[column]) for column, key in enumerate(keys)}


def largest_demands(series: DemandSeries, lead_times: Integers) -> Floats:
    """The largest demand of consecutive days, as many as the lead time of the column; of a shorter history, in
    proportion."""
    sums = np.vstack([np.zeros((1, series.columns)), np.cumsum(series.demand, axis=0)])
    largest = np.zeros(series.columns)
    for lead_time in np.unique(lead_times):
        days = min(max(int(lead_time), 1), series.days)
        columns = lead_times == lead_time
        largest[columns] = (sums[days:, columns] - sums[: len(sums) - days, columns]).max(axis=0)
    return largest * np.maximum(lead_times / (series.days - series.starts), 1.0)


def _basis_of(series: DemandSeries, found: Outlook, column: int) -> Basis:
    first = int(series.starts[column])
    demand = series.demand[first:, column]
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
