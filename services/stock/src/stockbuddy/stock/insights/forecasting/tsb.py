"""Forecast of intermittent demand by the method of Teunter, Syntetos and Babai (TSB): the probability that a day has
demand and the size of that demand are smoothed separately; the probability decreases while nothing is sold.

R. Teunter, A. Syntetos, M. Z. Babai: Intermittent demand: Linking forecasting to inventory obsolescence,
European Journal of Operational Research 214 (2011), 606-615. https://doi.org/10.1016/j.ejor.2011.05.018
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist, fmean, median

SMOOTHING = 0.1
"""Smoothing factor of sizes and probabilities: the usual value."""
MAX_SIZE_IN_MEDIANS = 5.0
"""A larger demand is a bulk order; it is counted as this multiple of the median size."""
LEVEL = 0.8
"""Probability of the forecast interval."""


@dataclass(frozen=True, slots=True)
class Demand:
    """`probability` that a day has demand, the expected `size` on such a day, and past `sizes` in ascending order."""

    probability: float
    size: float
    sizes: Sequence[float]

    @property
    def per_day(self) -> float:
        return self.probability * self.size


@dataclass(frozen=True, slots=True)
class DayForecast:
    """Expected demand and the bounds of its interval."""

    mean: float
    low: float
    high: float


def fit(history: Sequence[float]) -> Demand:
    """Estimate demand from the demand of each day, the oldest first, including days without any."""
    sizes = sorted(quantity for quantity in history if quantity > 0)
    if not sizes:
        return Demand(0.0, 0.0, ())
    max_size = median(sizes) * MAX_SIZE_IN_MEDIANS
    size = fmean(min(quantity, max_size) for quantity in sizes)
    probability = len(sizes) / len(history)
    for quantity in history:
        if quantity > 0:
            size += SMOOTHING * (min(quantity, max_size) - size)
            probability += SMOOTHING * (1 - probability)
        else:
            probability -= SMOOTHING * probability
    return Demand(probability, size, sizes)


def forecast_day(demand: Demand, factor: float = 1.0) -> DayForecast:
    """A day whose demand is `factor` times the average. Bounds are quantiles of a zero-inflated empirical distribution:
    zero with probability 1 - p, otherwise a past demand size."""
    probability = min(demand.probability * factor, 1.0)
    tail = (1 - LEVEL) / 2
    return DayForecast(
        demand.per_day * factor, _quantile(demand, probability, tail), _quantile(demand, probability, 1 - tail)
    )


def _quantile(demand: Demand, probability: float, share: float) -> float:
    """The smallest demand that is not exceeded on a `share` of days."""
    if share <= 1 - probability or not demand.sizes:
        return 0.0
    share_of_sizes = (share - (1 - probability)) / probability
    return demand.sizes[min(int(share_of_sizes * len(demand.sizes)), len(demand.sizes) - 1)]


def forecast_days(demand: Demand, factors: Sequence[float]) -> DayForecast:
    """The sum over several days. Bounds assume a normal distribution, cut off at zero."""
    mean = demand.per_day * sum(factors)
    mean_square = fmean(size * size for size in demand.sizes) if demand.sizes else 0.0
    variance = 0.0
    for factor in factors:
        probability = min(demand.probability * factor, 1.0)
        variance += max(probability * mean_square - (probability * demand.size) ** 2, 0.0)
    margin = NormalDist().inv_cdf((1 + LEVEL) / 2) * sqrt(variance)
    return DayForecast(mean, max(mean - margin, 0.0), mean + margin)


def weekday_factors(totals: Sequence[float], first_weekday: int) -> list[float]:
    """The ratio of each weekday's demand (Monday first) to the average day, from the total demand of each day.
    All are 1 if there are fewer than two weeks of totals."""
    average = fmean(totals) if totals else 0.0
    if len(totals) < 14 or not average:
        return [1.0] * 7
    by_weekday = [totals[(weekday - first_weekday) % 7 :: 7] for weekday in range(7)]
    factors = [fmean(days) / average for days in by_weekday]
    return [factor * 7 / sum(factors) for factor in factors]
