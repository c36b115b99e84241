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
RELIABLE_SALES = 28
"""Of fewer days with sales in the back-test, the errors over the whole history count too."""
MIN_SCALE_SHARE = 0.1
TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Choice:
    """Per column: the method's index in `Candidates.names`, whether it was compared with others, and the errors.

    `dispersion`: variance of a day's error in units of its expected demand; `drift`: its growth per further day when
    days are summed; `residuals` (rows, columns): errors in units of the square root of expected demand, NaN where a day
    does not count."""

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
    scores = np.where(candidates.is_eligible, (of_days + of_weeks) * handicaps, np.inf)
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
    drift = np.maximum(weight * drift, np.maximum(candidates.level_variances[method], 1 / known_days) * dispersion)
    return Choice(
        method,
        is_compared,
        dispersion,
        drift,
        residuals_of(series, own_errors, own_forecasts, counted > 0, is_compared),
    )


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
    expected = size_of(errors, forecasts)
    dispersion = np.square(errors).sum(axis=(0, 1)) / expected
    of_weeks = np.square(errors.reshape(len(errors), -1, WEEK, errors.shape[-1]).sum(axis=2)).sum(axis=(0, 1))
    of_fortnights = np.square(errors.sum(axis=1)).sum(axis=0)
    drifts = [
        (squares / expected - dispersion) / (days - 1)
        for squares, days in ((of_weeks, WEEK), (of_fortnights, COMPARED_DAYS))
    ]
    return dispersion, np.maximum(np.mean(drifts, axis=0), 0.0)


def dispersion_of_history(series: CleanSeries, candidates: Candidates) -> Floats:
    """That of the one-step errors over the whole history; that of a Poisson process, 1, counts for what a history lacks
    to a week."""
    counted = series.is_counted[series.days - len(candidates.errors) :]
    errors = candidates.errors * counted
    expected = size_of(errors, candidates.expected * counted)
    missing = np.maximum(WEEK - counted.sum(axis=0), 0.0) / WEEK
    dispersion: Floats = (1 - missing) * np.square(errors).sum(axis=0) / expected + missing
    return dispersion


def residuals_of(
    series: CleanSeries, errors: Floats, forecasts: Floats, is_counted: Bools, is_compared: Bools
) -> Floats:
    """Standardized errors: of the back-test if there was one, else the differences of all days from their average."""
    columns = errors.shape[-1]
    tested = standardized(errors, forecasts, is_counted).reshape(-1, columns)
    tested[:, ~is_compared] = np.nan
    days = np.maximum(series.is_counted.sum(axis=0), 1)
    average = np.broadcast_to((series.demand * series.is_counted).sum(axis=0) / days, series.demand.shape)
    past = standardized(series.demand - average, average, series.is_counted)
    past[:, is_compared] = np.nan
    return np.concatenate([tested, past])


def standardized(errors: Floats, forecasts: Floats, is_counted: Bools) -> Floats:
    size = size_of(errors * is_counted, forecasts * is_counted)
    scales = np.sqrt(scale_of(forecasts, size, is_counted))
    values: Floats = np.where(is_counted, errors / scales, np.nan)
    return values


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
    """Conformal quantiles (probabilities, columns): of the sorted residuals, the one at rank p (n + 1)."""
    ordered = np.sort(residuals, axis=0)
    counts = np.count_nonzero(~np.isnan(residuals), axis=0)
    column = np.arange(residuals.shape[1])
    found = []
    for probability in probabilities:
        ranks = probability * (counts + 1)
        rows = np.floor(ranks) - 1 if probability < 0.5 else np.ceil(ranks) - 1
        rows = np.clip(rows, 0, np.maximum(counts - 1, 0)).astype(np.int64)
        found.append(np.where(counts > 0, ordered[rows, column], 0.0))
    return np.array(found)
