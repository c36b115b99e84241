"""Computes forecasts from movements. Imported with the first forecast, since numpy takes 27 MB and 0.2 s."""

from collections.abc import Mapping, Sequence

import numpy as np

from stockbuddy.stock.insights.forecasting.demand_history import build_history
from stockbuddy.stock.insights.forecasting.estimates import (
    Basis,
    DemandEstimate,
    ProductForecast,
    Range,
    Supply,
)
from stockbuddy.stock.insights.forecasting.ledger_entries import Key
from stockbuddy.stock.insights.forecasting.outlook import Outlook, forecast
from stockbuddy.stock.insights.forecasting.queries import LedgerRows
from stockbuddy.stock.insights.forecasting.series import WEEK, DemandSeries, Floats, Integers

MAX_DAYS_AHEAD = 90
MAX_GROWTH = 3.0
"""A level with more stock than this multiple of the largest demand of any lead time is not reordered."""


def forecast_product(
    rows: Sequence[LedgerRows],
    key: Key,
    days: int,
    weekday_factors: Sequence[float],
    history_days: int,
    horizon_days: int,
) -> ProductForecast | None:
    """None if there never was any stock. `days`: those of the history that the rows are numbered in, whole weeks;
    `history_days`: at most so many of them count."""
    history = build_history(rows, [key], days, weekday_factors, min_start=max(days - history_days, 0))
    if not history.is_known[0]:
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
        basis=_bases_of(history.series, found)[0],
        per_day=Range(*(sum(getattr(day, name) for day in week) / WEEK for name in ("mean", "low", "high"))),
        total=Range(float(found.sum_until(horizon)[0]), float(low), float(high)),
        days=ranges[:horizon_days],
    )


def estimate_demand(
    rows: Sequence[LedgerRows],
    days: int,
    weekday_factors: Sequence[float],
    supplies: Mapping[Key, Supply],
    service_level: float,
) -> dict[Key, DemandEstimate]:
    """The demand of each product and warehouse that was moved and may have to be reordered, in its period."""
    keys = list(supplies)
    history = build_history(rows, keys, days, weekday_factors)
    periods = [one.period for one in supplies.values()]
    lead_times = np.array([period.lead_time_days for period in periods], np.int64)
    ends = lead_times + np.array([period.cover_days for period in periods], np.int64)
    limits = np.array([one.least_reorder_point for one in supplies.values()])
    limits = np.maximum(limits, MAX_GROWTH * largest_demands(history.series, lead_times))
    positions = np.array([one.position for one in supplies.values()])
    columns = np.flatnonzero(history.is_moved & (positions <= limits))
    if not len(columns):
        return {}
    series, lead_times, ends = history.series.part(columns), lead_times[columns], ends[columns]
    found = forecast(series, min(max([WEEK, *ends.tolist()]), MAX_DAYS_AHEAD))
    until_delivery = found.sum_until(lead_times)
    safety_stock = np.maximum(found.sum_quantile(lead_times, service_level) - until_delivery, 0.0)
    per_day = found.sum_until(np.full_like(lead_times, WEEK)) / WEEK
    deviation = np.sqrt(found.dispersion * per_day)
    cover = found.sum_until(ends) - until_delivery
    figures = np.stack([per_day, deviation, until_delivery, cover, safety_stock], axis=1).tolist()
    bases = _bases_of(series, found)
    return {keys[column]: DemandEstimate(bases[place], *figures[place]) for place, column in enumerate(columns)}


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


def _bases_of(series: DemandSeries, found: Outlook) -> list[Basis]:
    is_counted = np.arange(series.days)[:, None] >= series.starts
    demand = series.demand * is_counted
    columns = zip(
        found.method,
        np.where(found.is_compared, found.methods, 0).tolist(),
        series.starts.tolist(),
        (series.days - series.starts).tolist(),
        np.count_nonzero(demand, axis=0).tolist(),
        found.days_without_stock.tolist(),
        found.days_with_promotion.tolist(),
        demand.sum(axis=0).tolist(),
        strict=True,
    )
    return [Basis(*column) for column in columns]
