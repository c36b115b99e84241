"""Exponential smoothing of many series at once, with several parameters and profiles.

Level and damped trend of Holt and Gardner, for demand divided by the factor of its day; TSB for demand on few days.

E. S. Gardner: Exponential smoothing: The state of the art, Part II, International Journal of Forecasting 22 (2006),
637-666. https://doi.org/10.1016/j.ijforecast.2006.03.005
R. Teunter, A. Syntetos, M. Z. Babai: Intermittent demand: Linking forecasting to inventory obsolescence,
European Journal of Operational Research 214 (2011), 606-615. https://doi.org/10.1016/j.ejor.2011.05.018
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from stockbuddy.stock.insights.forecasting.series import WEEK, Bools, CleanSeries, Floats

FIRST_DAYS = 14
"""The first level is the average of these days."""
MIN_FACTOR = 0.05
"""A day with a smaller factor says too little about the level."""
TINY = 1e-9
TSB_SMOOTHING = 0.1
TREND_DAMPING = 0.99


@dataclass(frozen=True, slots=True)
class Smoothing:
    """`level` and `trend`: the share of a day's error that they are corrected by; trend 0: none."""

    level: float
    trend: float = 0.0


SMOOTHINGS = (
    Smoothing(0.02),
    Smoothing(0.07),
    Smoothing(0.2),
    Smoothing(0.05, 0.03),
    Smoothing(0.15, 0.05),
    Smoothing(0.3, 0.1),
)
REFERENCE = 1
"""The smoothing whose one-step errors describe the whole history."""


@dataclass(frozen=True, slots=True)
class Smoothed:
    """`levels` and `trends` (origins + 1, smoothings, profiles, columns): estimates before each origin's day, and after
    the last day. `expected` and `errors` (days, columns): one step ahead, by the reference with the last profile;
    an error is within the bounds of what its day may contribute."""

    levels: Floats
    trends: Floats
    expected: Floats
    errors: Floats


def smooth(series: CleanSeries, factors: Floats, origins: Collection[int]) -> Smoothed:
    """`factors` (profiles, days, columns)."""
    profiles, days, columns = factors.shape
    # Arrays of (smoothings, profiles, columns) from here on.
    gains, trend_gains = (
        np.array([getattr(smoothing, name) for smoothing in SMOOTHINGS])[:, None, None] for name in ("level", "trend")
    )
    damping = np.where(trend_gains > 0, TREND_DAMPING, 0.0)
    level = np.broadcast_to(first_levels(series, factors), (len(SMOOTHINGS), profiles, columns))
    trend = np.zeros_like(level)
    squares = np.square(factors).reshape(profiles, days // WEEK, WEEK, columns)
    weights = (squares / np.maximum(squares.mean(axis=2, keepdims=True), TINY)).reshape(factors.shape)
    divisors = np.where(factors > MIN_FACTOR, 1 / np.maximum(factors, MIN_FACTOR), 0.0)
    levels, trends = [], []
    expected, errors = np.empty((days, columns)), np.empty((days, columns))
    for day in range(days):
        if day in origins:
            levels.append(level)
            trends.append(trend)
        level = np.maximum(level + damping * trend, 0.0)
        forecast = level * factors[:, day]
        error = np.minimum(
            np.maximum(series.demand[day] - forecast, series.lowest_error[day]), series.highest_error[day]
        )
        expected[day], errors[day] = forecast[REFERENCE, -1], error[REFERENCE, -1]
        # A day with a larger factor has more weight: its relative error is smaller.
        weight = gains * weights[:, day]
        correction = weight / (1 + weight - gains) * error * divisors[:, day]
        level = level + correction
        trend = damping * trend + trend_gains * correction
    levels.append(level)
    trends.append(trend)
    return Smoothed(np.array(levels), np.array(trends), expected, errors)


def first_levels(series: CleanSeries, factors: Floats) -> Floats:
    """The average of the first days that count, divided by their factors (profiles, columns)."""
    is_first = np.arange(series.days)[:, None] < series.starts + FIRST_DAYS
    counted = (series.is_counted & is_first).astype(np.float64)
    sold = (counted * series.demand).sum(axis=0)
    levels: Floats = sold / np.maximum((counted * factors).sum(axis=1), TINY)
    return levels


def smooth_sizes(series: CleanSeries, origins: Collection[int]) -> Floats:
    """TSB: the probability of a day with demand times its size (origins + 1, columns)."""
    is_sold = series.demand > 0
    is_known: Bools = is_sold | (np.isneginf(series.lowest_error))
    sold_days = np.count_nonzero(is_sold, axis=0)
    size = series.demand.sum(axis=0) / np.maximum(sold_days, 1)
    probability = np.minimum(sold_days / np.maximum(np.count_nonzero(is_known, axis=0), 1), 1.0)
    estimates = []
    for day in range(series.days):
        if day in origins:
            estimates.append(probability * size)
        error = np.minimum(np.maximum(series.demand[day] - size, series.lowest_error[day]), series.highest_error[day])
        size = np.where(is_sold[day], size + TSB_SMOOTHING * error, size)
        probability = np.where(is_known[day], probability + TSB_SMOOTHING * (is_sold[day] - probability), probability)
    estimates.append(probability * size)
    return np.array(estimates)
