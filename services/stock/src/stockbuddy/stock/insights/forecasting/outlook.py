"""Forecasts with their intervals: of single days and of sums over days."""

from dataclasses import dataclass, fields
from statistics import NormalDist

import numpy as np

from stockbuddy.stock.insights.forecasting.backtest import MIN_SCALE_SHARE, choose, quantiles
from stockbuddy.stock.insights.forecasting.methods import COMPARED_DAYS, forecast_by_all_methods
from stockbuddy.stock.insights.forecasting.series import (
    Bools,
    DemandSeries,
    Floats,
    Integers,
    clean,
)

LEVEL = 0.8
"""Probability of an interval."""
COLUMNS_AT_ONCE = 512
"""The arrays of so many columns fit into the processor's cache."""
MAX_GAMMA_TERM = 1e9
MIN_WHOLE = 0.5
"""Of whole units, less than half a one is none."""
GROWING = ("damped_trend", "holt_winters", "yearly_profile")
"""Methods whose errors grow further with the days ahead: the trend or the season may change."""
TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Outlook:
    """Forecasts of the coming days (days, columns), the first being today; the rest per column. `method`: the name;
    `is_compared`: whether it was chosen among `methods`; `is_whole`: whether demand is always whole units;
    `dispersion` and `drift`: see Choice; `is_growing`: whether the drift grows with the days ahead."""

    mean: Floats
    low: Floats
    high: Floats
    method: list[str]
    methods: int
    is_compared: Bools
    is_whole: Bools
    is_growing: Bools
    dispersion: Floats
    drift: Floats
    days_without_stock: Integers
    days_with_promotion: Integers

    def sum_until(self, days: Integers) -> Floats:
        """Expected demand of each column's first `days` days; beyond the last day forecast, at its last week's rate."""
        known = np.minimum(days, len(self.mean))
        sums = np.vstack([np.zeros((1, self.mean.shape[1])), np.cumsum(self.mean, axis=0)])
        rate = self.mean[-7:].mean(axis=0)
        total: Floats = sums[known, np.arange(len(known))] + (days - known) * rate
        return total

    def sum_quantile(self, days: Integers, probability: float) -> Floats:
        """The demand of the first `days` days that is not exceeded with this probability."""
        further = np.maximum(days - 1, 0)
        growth = np.where(self.is_growing, np.maximum(days / COMPARED_DAYS, 1.0), 1.0)
        spread = self.dispersion + self.drift * further * growth
        return gamma_quantile(self.sum_until(days), spread, self.is_whole, probability)

    def sum_interval(self, days: Integers) -> tuple[Floats, Floats]:
        tail = (1 - LEVEL) / 2
        return self.sum_quantile(days, tail), self.sum_quantile(days, 1 - tail)


def gamma_quantile(mean: Floats, spread: Floats, is_whole: Bools, probability: float) -> Floats:
    """Of gamma distributions with the variances `spread` times `mean`, by the approximation of Wilson and Hilferty,
    https://doi.org/10.1073/pnas.17.12.684."""
    ninth = np.minimum(spread / np.maximum(9 * mean, TINY), MAX_GAMMA_TERM)
    root = 1 - ninth + NormalDist().inv_cdf(probability) * np.sqrt(ninth)
    quantity = mean * np.maximum(root, 0.0) ** 3
    rounded: Floats = np.where(is_whole, np.rint(quantity), quantity)
    return rounded


def forecast(series: DemandSeries, days: int) -> Outlook:
    """Forecast each column for `days` days."""
    parts = [
        _forecast_part(series.part(slice(first, first + COLUMNS_AT_ONCE)), days)
        for first in range(0, max(series.columns, 1), COLUMNS_AT_ONCE)
    ]
    if len(parts) == 1:
        return parts[0]
    return Outlook(
        method=[method for part in parts for method in part.method],
        methods=parts[0].methods,
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts], axis=-1)
            for field in fields(Outlook)
            if field.name not in ("method", "methods")
        },
    )


def _forecast_part(series: DemandSeries, days: int) -> Outlook:
    cleaned = clean(series)
    candidates = forecast_by_all_methods(cleaned, days)
    choice = choose(cleaned, candidates)
    column = np.arange(series.columns)
    mean = candidates.ahead[choice.method, :, column].T
    is_whole: Bools = (series.demand == np.rint(series.demand)).all(axis=0)
    scales = np.sqrt(np.maximum(mean, MIN_SCALE_SHARE * mean.mean(axis=0) + TINY))
    tails = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
    low, high = (
        # A short history has too few errors to know their tails.
        np.where(
            choice.is_compared,
            np.maximum(mean + quantile * scales, 0.0),
            gamma_quantile(mean, choice.dispersion, is_whole, tail),
        )
        for tail, quantile in zip(tails, quantiles(choice.residuals, tails), strict=True)
    )
    low, high = np.minimum(low, mean), np.maximum(high, mean)
    method = [candidates.names[method] for method in choice.method]
    is_active = np.arange(series.days)[:, None] >= series.starts
    return Outlook(
        mean=mean,
        low=np.where(is_whole & (low < MIN_WHOLE), 0.0, low),
        high=high,
        method=method,
        methods=len(set(candidates.names)),
        is_compared=choice.is_compared,
        is_whole=is_whole,
        is_growing=np.array([name in GROWING for name in method], np.bool_),
        dispersion=choice.dispersion,
        drift=choice.drift,
        days_without_stock=np.count_nonzero(is_active & (cleaned.lowest_error == 0), axis=0),
        days_with_promotion=np.count_nonzero(is_active & (cleaned.highest_error == 0), axis=0),
    )
