"""Profiles: the demand of a weekday, or of a season, in relation to the average day.

A weekday's factor is its demand divided by the average of the seven days around it, over the past weeks, recent ones
counting more. It is drawn towards the factor of all products together, the more, the more irregular the demand is.
"""

import numpy as np

from stockbuddy.stock.insights.forecasting.series import WEEK, CleanSeries, Floats, window_sums

WEEKLY_DECAY = 0.98
MIN_COUNTED_DAYS_OF_WEEK = 4
PRIOR_PRECISION = 10.0
"""The inverse variance of weekday factors among products: by itself, a factor differs from 1 by about 0.3."""
YEAR_DAYS = 364
"""Whole weeks, so that weekdays agree."""
SEASON_RADIUS_DAYS = 14
SEASON_PRIOR_UNITS = 10.0
TINY = 1e-9


def weekday_profiles(series: CleanSeries) -> Floats:
    """Factors (weeks + 1, 7, columns): those of a week are computed from the days before it; the last are those of the
    days to come."""
    weeks = series.days // WEEK
    columns = series.demand.shape[1]
    counted = series.is_counted.astype(np.float64)
    counted_around = window_sums(counted, 3, 3)
    average = window_sums(counted * series.demand, 3, 3) / np.maximum(counted_around, 1.0)
    counted *= counted_around >= MIN_COUNTED_DAYS_OF_WEEK
    sold = (counted * series.demand).reshape(weeks, WEEK, columns)
    usual = (counted * average).reshape(weeks, WEEK, columns)
    known_sold, known_usual = np.zeros((WEEK, columns)), np.zeros((WEEK, columns))
    squares, expected = np.zeros(columns), np.zeros(columns)
    profiles = np.ones((weeks + 1, WEEK, columns))
    prior = series.weekday_factors[:, None]
    for week in range(weeks + 1):
        weight = PRIOR_PRECISION * squares / np.maximum(expected, TINY)
        total = known_usual + weight
        factors = np.where(total > TINY, (known_sold + weight * prior) / np.maximum(total, TINY), prior)
        mean = factors.mean(axis=0)
        profiles[week] = np.where(mean > TINY, factors / np.maximum(mean, TINY), 1.0)
        if week == weeks:
            break
        known_sold *= WEEKLY_DECAY
        known_usual *= WEEKLY_DECAY
        squares *= WEEKLY_DECAY
        expected *= WEEKLY_DECAY
        # The average around a day ends three days later: the last three days of a week are known in the week after.
        for days, source in ((slice(0, 4), week), (slice(4, WEEK), week - 1)):
            if source < 0:
                continue
            has_factor = known_usual[days] > 0
            factor = np.where(has_factor, known_sold[days] / np.maximum(known_usual[days], TINY), profiles[week, days])
            fitted = factor * usual[source, days]
            squares += np.square(sold[source, days] - fitted).sum(axis=0)
            expected += fitted.sum(axis=0)
            known_sold[days] += sold[source, days]
            known_usual[days] += usual[source, days]
    return profiles


def season_factors(series: CleanSeries, horizon: int) -> Floats:
    """Factors (days + horizon, columns): demand around the same day of the year before in relation to that year's
    average; 1 where the year before is not known."""
    counted = series.is_counted.astype(np.float64)
    radius = SEASON_RADIUS_DAYS
    days_around = window_sums(counted, radius, radius)
    width = 2 * radius + 1
    average = (counted * series.demand).sum(axis=0) / np.maximum(counted.sum(axis=0), 1.0)
    around = window_sums(counted * series.demand, radius, radius)
    units = around + (width - days_around) * average  # days that do not count are average days
    factors = np.ones((series.days + horizon, series.demand.shape[1]))
    usual = width * average
    source = (units + SEASON_PRIOR_UNITS) / (usual + SEASON_PRIOR_UNITS)
    factors[YEAR_DAYS + radius :] = source[radius : series.days + horizon - YEAR_DAYS]
    return factors
