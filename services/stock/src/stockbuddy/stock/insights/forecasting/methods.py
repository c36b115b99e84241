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

ORIGINS = 8
"""Forecasts of the back-test begin at the start of each of the last weeks."""
MAX_SMOOTHED_DAYS = 364
MIN_DAYS_FOR_SEASON = 490
"""The year before, and sixteen weeks whose year before is known."""
MOVING_AVERAGE_DAYS = 28
TWO_WEEKS = 14


FLAT_NAMES = {False: "smoothing", True: "damped_trend"}
WEEKDAY_NAMES = {False: "weekday_profile", True: "holt_winters"}


@dataclass(frozen=True, slots=True)
class Candidates:
    """`forecasts` (origins + 1, methods, steps, columns): by the method `names[method]`, the days from an origin on,
    lastly from today on. `origins`: rows of the series. `level_variances`: how fast each method's level may change, see
    `level_variance`. `is_eligible` (methods, columns). `errors` and `expected` (days, columns): of one-step forecasts
    over the whole history."""

    names: Sequence[str]
    level_variances: Floats
    forecasts: Floats
    origins: Sequence[int]
    is_eligible: Bools
    expected: Floats
    errors: Floats


def forecast_by_all_methods(series: CleanSeries, steps: int) -> Candidates:
    """`steps`: at least those that the back-test compares."""
    recent = tail_of(series, MAX_SMOOTHED_DAYS)
    weeks, columns = recent.days // WEEK, recent.demand.shape[1]
    origins = [recent.days - WEEK * week for week in range(min(ORIGINS, weeks - 1), 0, -1)]
    profiles = weekday_profiles(recent)
    past = np.ones((2, recent.days, columns))
    past[1] = profiles[:weeks].reshape(recent.days, columns)
    weekdays = repeat_weeks(profiles[[origin // WEEK for origin in origins] + [weeks]], steps)
    ahead = np.stack([np.ones_like(weekdays), weekdays], axis=1)
    smoothed = smooth(recent, past, origins)
    parts = [project(smoothed, ahead)]
    names = [names[smoothing.trend > 0] for smoothing in SMOOTHINGS for names in (FLAT_NAMES, WEEKDAY_NAMES)]
    variances = [level_variance(smoothing) for smoothing in SMOOTHINGS for _ in (FLAT_NAMES, WEEKDAY_NAMES)]
    if is_seasonal := series.days >= MIN_DAYS_FOR_SEASON:
        parts.append(forecast_by_season(series, recent, past[1], weekdays, origins))
        names += ["yearly_profile"] * len(SMOOTHINGS)
        variances += map(level_variance, SMOOTHINGS)
    filled = smoothed.expected + smoothed.errors
    parts += [
        smooth_sizes(recent, origins)[:, None, None] * repeat_weeks(series.weekday_factors[None, :, None], steps),
        average_recent(recent, filled, origins, steps)[:, None],
        repeat_weeks(np.stack([filled[day - WEEK : day] for day in [*origins, recent.days]]), steps)[:, None],
    ]
    names += ["tsb", "moving_average", "seasonal_naive"]
    variances += [level_variance(Smoothing(TSB_SMOOTHING)), 1 / MOVING_AVERAGE_DAYS, 1 / WEEK]
    is_eligible = np.ones((len(names), columns), dtype=np.bool_)
    if is_seasonal:
        knows_year = series.days - series.starts >= MIN_DAYS_FOR_SEASON
        is_eligible[[name == "yearly_profile" for name in names]] = knows_year
    return Candidates(
        names,
        np.array(variances),
        np.concatenate(parts, axis=1),
        origins,
        is_eligible,
        smoothed.expected,
        smoothed.errors,
    )


def level_variance(smoothing: Smoothing) -> float:
    """By how much the variance of the sum of two weeks, divided by its days, grows with each of them, in units of the
    variance of a day's error: the model of which simple smoothing is the best forecast has errors that change its level
    by the smoothing factor a, and the sum of n days has the variance n + a n (n - 1) + a² n (n - 1) (2n - 1) / 6."""
    return smoothing.level + smoothing.level**2 * (2 * TWO_WEEKS - 1) / 6


def project(smoothed: Smoothed, factors: Floats) -> Floats:
    """Forecasts of each smoothing with each profile; `factors` (origins + 1, profiles, steps, columns)."""
    origins, _, steps, columns = factors.shape
    damped_steps = np.cumsum(TREND_DAMPING ** np.arange(1, steps + 1))[:, None]
    levels = smoothed.levels[:, :, :, None] + damped_steps * smoothed.trends[:, :, :, None]
    return (np.maximum(levels, 0.0) * factors[:, None]).reshape(origins, -1, steps, columns)


def forecast_by_season(
    series: CleanSeries, recent: CleanSeries, weekdays_past: Floats, weekdays_ahead: Floats, origins: Sequence[int]
) -> Floats:
    """Smoothing of demand divided by the factors of weekday and season."""
    steps = weekdays_ahead.shape[1]
    seasons = season_factors(series, steps)[series.days - recent.days :]
    # Before this day the year before is not known.
    first = -(-(max(YEAR_DAYS + WEEK * 2 - (series.days - recent.days), 0)) // WEEK) * WEEK
    known = tail_of(recent, recent.days - first)
    past = (weekdays_past * seasons[: recent.days])[None, first:]
    ahead = np.stack(
        [weekdays_ahead[place] * seasons[day : day + steps] for place, day in enumerate([*origins, recent.days])]
    )
    return project(smooth(known, past, [origin - first for origin in origins]), ahead[:, None])


def average_recent(series: CleanSeries, filled: Floats, origins: Sequence[int], steps: int) -> Floats:
    """The average of the last weeks, days without stock being filled with what was expected."""
    is_active = (np.arange(series.days)[:, None] >= series.starts).astype(np.float64)
    back = MOVING_AVERAGE_DAYS - 1
    days = np.maximum(window_sums(is_active, back, 0), 1.0)
    averages = window_sums(filled * is_active, back, 0) / days
    last_days = [origin - 1 for origin in origins] + [series.days - 1]
    return np.repeat(averages[last_days][:, None], steps, axis=1)


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
