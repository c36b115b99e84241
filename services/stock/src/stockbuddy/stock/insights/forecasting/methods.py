"""Forecasts of many series by every method, from several days of the past and from today."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stockbuddy.stock.insights.forecasting.profiles import YEAR_DAYS, season_factors, weekday_profiles
from stockbuddy.stock.insights.forecasting.series import WEEK, Bools, CleanSeries, Floats, window_sums
from stockbuddy.stock.insights.forecasting.smoothed_levels import (
    SMOOTHINGS,
    TREND_DAMPING,
    TSB_SMOOTHING,
    Smoothed,
    Smoothing,
    smooth,
    smooth_sizes,
)

ORIGINS = 24
"""Forecasts of the back-test begin at the start of each of the last weeks."""
COMPARED_DAYS = 14
MAX_SMOOTHED_DAYS = 364
MIN_DAYS_FOR_SEASON = 490
"""The year before, and sixteen weeks whose year before is known."""
FIRST_SEASON_DAY = YEAR_DAYS + 2 * WEEK
"""The season around a day of the year before is known from here on."""
MIN_WEEKS_BEFORE_SEASON = 4
"""A back-test of the season begins after so many of them."""
MOVING_AVERAGE_DAYS = 28


FLAT_NAMES = {False: "smoothing", True: "damped_trend"}
WEEKDAY_NAMES = {False: "weekday_profile", True: "holt_winters"}


@dataclass(frozen=True, slots=True)
class Candidates:
    """By the method `names[method]`: `ahead` (methods, steps, columns) from today on, and `past` (origins, methods,
    COMPARED_DAYS, columns) from the rows `origins` of the series on. `level_variances`: how fast each method's level
    may change, see `level_variance`. `is_eligible` (methods, columns). `errors` and `expected` (days, columns): of
    one-step forecasts over the whole history."""

    names: Sequence[str]
    level_variances: Floats
    ahead: Floats
    past: Floats
    origins: Sequence[int]
    is_eligible: Bools
    expected: Floats
    errors: Floats


def forecast_by_all_methods(series: CleanSeries, steps: int) -> Candidates:
    recent = tail_of(series, MAX_SMOOTHED_DAYS)
    weeks, columns = recent.days // WEEK, recent.demand.shape[1]
    is_seasonal = series.days >= MIN_DAYS_FOR_SEASON
    compared_weeks = min(ORIGINS, weeks - 1)
    if is_seasonal:
        compared_weeks = min(compared_weeks, (series.days - FIRST_SEASON_DAY) // WEEK - MIN_WEEKS_BEFORE_SEASON)
    days = [recent.days - WEEK * week for week in range(compared_weeks, -1, -1)]
    origins = days[:-1]
    profiles = weekday_profiles(recent)
    past = np.ones((2, recent.days, columns))
    past[1] = profiles[:weeks].reshape(recent.days, columns)
    smoothed = smooth(recent, past, origins)
    filled = smoothed.expected + smoothed.errors
    sizes = smooth_sizes(recent, origins)
    averages = average_recent(recent, filled, days)
    last_weeks = np.stack([filled[day - WEEK : day] for day in days])
    if is_seasonal:
        seasons = season_factors(series, steps)[series.days - recent.days :]
        by_season = smooth_by_season(series, recent, past[1] * seasons[: recent.days], origins)

    def forecast_from(places: slice, steps: int) -> Floats:
        weekdays = repeat_weeks(profiles[[day // WEEK for day in days[places]]], steps)
        found = [project(smoothed, places, np.stack([np.ones_like(weekdays), weekdays], axis=1))]
        if is_seasonal:
            ahead = weekdays * np.stack([seasons[day : day + steps] for day in days[places]])
            found.append(project(by_season, places, ahead[:, None]))
        found += [
            sizes[places, None, None] * repeat_weeks(series.weekday_factors[None, :, None], steps),
            np.repeat(averages[places, None, None], steps, axis=2),
            repeat_weeks(last_weeks[places], steps)[:, None],
        ]
        return np.concatenate(found, axis=1)

    names = [names[smoothing.trend > 0] for smoothing in SMOOTHINGS for names in (FLAT_NAMES, WEEKDAY_NAMES)]
    variances = [level_variance(smoothing) for smoothing in SMOOTHINGS for _ in (FLAT_NAMES, WEEKDAY_NAMES)]
    if is_seasonal:
        names += ["yearly_profile"] * len(SMOOTHINGS)
        variances += map(level_variance, SMOOTHINGS)
    names += ["tsb", "moving_average", "seasonal_naive"]
    variances += [level_variance(Smoothing(TSB_SMOOTHING)), 1 / MOVING_AVERAGE_DAYS, 1 / WEEK]
    is_eligible = np.ones((len(names), columns), dtype=np.bool_)
    is_eligible[[name == "yearly_profile" for name in names]] = series.days - series.starts >= MIN_DAYS_FOR_SEASON
    return Candidates(
        names,
        np.array(variances),
        forecast_from(slice(compared_weeks, None), steps)[0],
        forecast_from(slice(0, compared_weeks), COMPARED_DAYS),
        origins,
        is_eligible,
        smoothed.expected,
        smoothed.errors,
    )


def level_variance(smoothing: Smoothing) -> float:
    """By how much the variance of the sum of two weeks, divided by its days, grows with each of them, in units of the
    variance of a day's error: the model of which simple smoothing is the best forecast has errors that change its level
    by the smoothing factor a, and the sum of n days has the variance n + a n (n - 1) + a² n (n - 1) (2n - 1) / 6."""
    return smoothing.level + smoothing.level**2 * (2 * COMPARED_DAYS - 1) / 6


def project(smoothed: Smoothed, places: slice, factors: Floats) -> Floats:
    """Forecasts of each smoothing with each profile, from the origins at `places`; `factors` (places, profiles, steps,
    columns)."""
    origins, _, steps, columns = factors.shape
    damped_steps = np.cumsum(TREND_DAMPING ** np.arange(1, steps + 1))[:, None]
    levels = smoothed.levels[places, :, :, None] + damped_steps * smoothed.trends[places, :, :, None]
    return (np.maximum(levels, 0.0) * factors[:, None]).reshape(origins, -1, steps, columns)


def smooth_by_season(series: CleanSeries, recent: CleanSeries, factors: Floats, origins: Sequence[int]) -> Smoothed:
    """Smoothing of demand divided by the factors of weekday and season, from the first day on whose year before is
    known."""
    first = max(FIRST_SEASON_DAY - (series.days - recent.days), 0)
    known = tail_of(recent, recent.days - first)
    return smooth(known, factors[None, first:], [origin - first for origin in origins])


def average_recent(series: CleanSeries, filled: Floats, days: Sequence[int]) -> Floats:
    """The average of the weeks before each of `days`, days without stock being filled with what was expected."""
    is_active = (np.arange(series.days)[:, None] >= series.starts).astype(np.float64)
    back = MOVING_AVERAGE_DAYS - 1
    counts = np.maximum(window_sums(is_active, back, 0), 1.0)
    averages: Floats = (window_sums(filled * is_active, back, 0) / counts)[[day - 1 for day in days]]
    return averages


def repeat_weeks(weeks: Floats, steps: int) -> Floats:
    """(n, 7, columns) repeated to (n, steps, columns)."""
    return np.concatenate([weeks] * (-(-steps // WEEK)), axis=1)[:, :steps]


def tail_of(series: CleanSeries, days: int) -> CleanSeries:
    """The last `days` days, whole weeks."""
    first = max(series.days - days, 0)
    return CleanSeries(
        series.demand[first:],
        np.maximum(series.starts - first, 0),
        series.is_counted[first:],
        series.lowest_error[first:],
        series.highest_error[first:],
        series.weekday_factors,
    )
