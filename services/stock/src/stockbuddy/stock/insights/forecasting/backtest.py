"""Choice of the method by rolling-origin back-tests, and what their errors say about the errors to come."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stockbuddy.stock.insights.forecasting.methods import COMPARED_DAYS, Candidates
from stockbuddy.stock.insights.forecasting.series import WEEK, Bools, CleanSeries, Floats, Integers

MIN_DAYS_BEFORE_ORIGIN = 21
MIN_COMPARED_DAYS = 21
"""With fewer days to compare there is no choice: TSB is used."""
FALLBACK = "tsb"
HANDICAPS = {
    "damped_trend": 1.06,
    "holt_winters": 1.06,
    "weekday_profile": 1.03,
    "seasonal_naive": 1.06,
    "yearly_profile": 1.06,
}
"""A method with more to estimate must be better by this factor: else it wins by chance."""
WEIGHT_OF_WEEKS = 0.3
"""Of the squared errors of sums of weeks, in relation to those of days."""
RELIABLE_SALES = 28
"""Of fewer days with sales in the back-test, the errors over the whole history count too."""
WEIGHT_OF_LEVEL = 5.0
"""The drift that the method's model expects counts as much as that of so many fortnights."""
MIN_SCALE_SHARE = 0.1
TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Choice:
    """Per column: the method's index in `Candidates.names`, whether it was compared with others, and the errors.

    `dispersion`: variance of a day's error in units of its expected demand; `drift`: its growth per further day when
    days are summed; `residuals` (rows, columns): errors of the back-test in units of the square root of expected
    demand, NaN where a day does not count."""

    method: Integers
    is_compared: Bools
    dispersion: Floats
    drift: Floats
    residuals: Floats


def choose(series: CleanSeries, candidates: Candidates) -> Choice:
    counted, errors = errors_of(series, candidates)
    column = np.arange(series.demand.shape[1])
    compared_days = np.maximum(counted.sum(axis=(0, 1)), 1.0)
    of_days = np.square(errors).sum(axis=(0, 2)) / compared_days
    of_weeks = np.square(sums_of_weeks(errors)).sum(axis=(0, 2)) / compared_days
    handicaps = np.array([HANDICAPS.get(name, 1.0) for name in candidates.names])[:, None]
    scores = np.where(candidates.is_eligible, (of_days + WEIGHT_OF_WEEKS * of_weeks) * handicaps, np.inf)
    is_compared: Bools = counted.sum(axis=(0, 1)) >= MIN_COMPARED_DAYS
    method = np.where(is_compared, scores.argmin(axis=0), candidates.names.index(FALLBACK))
    own_errors = np.moveaxis(errors[:, method, :, column], 0, -1)
    own_forecasts = np.moveaxis(candidates.past[:, method, :, column], 0, -1) * counted
    dispersion, drift = spread_of(own_errors, own_forecasts)
    of_history = dispersion_of_history(series, candidates)
    sold_days = np.count_nonzero(series.demand[-WEEK * len(candidates.origins) :], axis=0)
    weight = np.where(is_compared, np.minimum(sold_days / RELIABLE_SALES, 1.0), 0.0)
    dispersion = weight * dispersion + (1 - weight) * of_history
    # The level itself is only estimated: its error is the same on all days, so that it adds up.
    known_days = np.maximum(series.is_counted.sum(axis=0), 1)
    drift_of_level = np.maximum(candidates.level_variances[method], 1 / known_days) * dispersion
    tested = weight * compared_days / COMPARED_DAYS
    drift = (WEIGHT_OF_LEVEL * drift_of_level + tested * drift) / (WEIGHT_OF_LEVEL + tested)
    return Choice(method, is_compared, dispersion, drift, standardized(own_errors, own_forecasts, counted > 0))


def errors_of(series: CleanSeries, candidates: Candidates) -> tuple[Floats, Floats]:
    """Which days count (origins, steps, columns), and the errors (origins, methods, steps, columns), zero on others."""
    days, columns = candidates.errors.shape
    first = series.days - days
    starts = np.maximum(series.starts - first, 0)
    origins = candidates.origins
    counted = np.zeros((len(origins), COMPARED_DAYS, columns))
    actual = np.zeros_like(counted)
    for place, origin in enumerate(origins):
        steps = min(COMPARED_DAYS, days - origin)
        rows = slice(first + origin, first + origin + steps)
        counted[place, :steps] = series.is_counted[rows] & (origin - starts >= MIN_DAYS_BEFORE_ORIGIN)
        actual[place, :steps] = series.demand[rows]
    return counted, (actual[:, None] - candidates.past) * counted[:, None]


def sums_of_weeks(errors: Floats) -> Floats:
    """(origins, methods, steps, columns) summed to (origins, methods, weeks, columns)."""
    origins, methods, steps, columns = errors.shape
    weeks: Floats = errors.reshape(origins, methods, steps // WEEK, WEEK, columns).sum(axis=3)
    return weeks


def spread_of(errors: Floats, forecasts: Floats) -> tuple[Floats, Floats]:
    """The dispersion of single days, and the drift from how much faster sums of 7 and 14 days spread; both arrays have
    the shape (origins, steps, columns)."""
    steps, columns = errors.shape[1:]
    expected = size_of(errors, forecasts)
    dispersion = usual_squares(errors.reshape(-1, columns)) / expected
    drifts = []
    for days in (WEEK, steps):
        sums = errors.reshape(-1, days, columns).sum(axis=1)
        drifts.append((usual_squares(sums) / expected - dispersion) / (days - 1))
    return dispersion, np.maximum(np.mean(drifts, axis=0), 0.0)


def usual_squares(errors: Floats) -> Floats:
    """The sum of squares of each column, at most that of normal errors with the same mean absolute error: after a shift
    of the level, the squares of a few errors exceed all others."""
    counts = np.maximum(np.count_nonzero(errors, axis=0), 1)
    normal = np.square(np.abs(errors).sum(axis=0)) / counts * np.pi / 2
    squares: Floats = np.minimum(np.square(errors).sum(axis=0), normal)
    return squares


def dispersion_of_history(series: CleanSeries, candidates: Candidates) -> Floats:
    """That of the one-step errors over the whole history; that of a Poisson process, 1, counts for what a history lacks
    to a week."""
    counted = series.is_counted[series.days - len(candidates.errors) :]
    errors = candidates.errors * counted
    expected = size_of(errors, candidates.expected * counted)
    missing = np.maximum(WEEK - counted.sum(axis=0), 0.0) / WEEK
    dispersion: Floats = (1 - missing) * np.square(errors).sum(axis=0) / expected + missing
    return dispersion


def standardized(errors: Floats, forecasts: Floats, is_counted: Bools) -> Floats:
    size = size_of(errors, forecasts)
    scales = np.sqrt(scale_of(forecasts, size, is_counted))
    values: Floats = np.where(is_counted, errors / scales, np.nan)
    return values.reshape(-1, errors.shape[-1])


def size_of(errors: Floats, forecasts: Floats) -> Floats:
    """The total of each column's forecasts or of its demand, the larger one: demand may exceed a forecast of zero."""
    axes = tuple(range(forecasts.ndim - 1))
    expected = forecasts.sum(axis=axes)
    size: Floats = np.maximum(np.maximum(expected, expected + errors.sum(axis=axes)), TINY)
    return size


def scale_of(forecasts: Floats, total: Floats, is_counted: Bools) -> Floats:
    mean = total / np.maximum(is_counted.sum(axis=tuple(range(is_counted.ndim - 1))), 1)
    scale: Floats = np.maximum(forecasts, MIN_SCALE_SHARE * mean + TINY)
    return scale


def quantiles(residuals: Floats, probabilities: Sequence[float]) -> Floats:
    """Quantiles (probabilities, columns), unbiased in the median: interpolated at rank p (n + 1/3) + 1/3.

    R. Hyndman, Y. Fan: Sample quantiles in statistical packages, The American Statistician 50 (1996), 361-365.
    https://doi.org/10.1080/00031305.1996.10473566"""
    ordered = np.sort(residuals, axis=0)
    counts = np.count_nonzero(~np.isnan(residuals), axis=0)
    column = np.arange(residuals.shape[1])
    found = []
    for probability in probabilities:
        rank = np.clip(probability * (counts + 1 / 3) - 2 / 3, 0, np.maximum(counts - 1, 0))
        below, above = np.floor(rank).astype(np.int64), np.ceil(rank).astype(np.int64)
        share = rank - below
        between = (1 - share) * ordered[below, column] + share * ordered[above, column]
        found.append(np.where(counts > 0, between, 0.0))
    return np.array(found)
