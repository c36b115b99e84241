"""Forecasts intermittent demand by the method of Teunter, Syntetos and Babai (TSB): how likely a day has any demand,
and how much it then is, each smoothed for itself; the likelihood fades while nothing is sold.

R. Teunter, A. Syntetos, M. Z. Babai: Intermittent demand: Linking forecasting to inventory obsolescence,
European Journal of Operational Research 214 (2011), 606-615. https://doi.org/10.1016/j.ejor.2011.05.018
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist, fmean, median

SMOOTHING = 0.1
"""Of sizes and of likelihoods: the customary value."""
LARGEST_MEDIANS = 5.0
"""A day with more than so many times the median is a bulk order; it counts as that much and no more."""
LEVEL = 0.8


@dataclass(frozen=True, slots=True)
class Demand:
    """`likelihood` of any demand on a day, its `size` on such a day, and `sizes` that there were, ascending."""

    likelihood: float
    size: float
    sizes: Sequence[float]

    @property
    def per_day(self) -> float:
        return self.likelihood * self.size


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected, and between which bounds it lies with probability LEVEL."""

    mean: float
    low: float
    high: float


def fit(history: Sequence[float]) -> Demand:
    """From the demand of each day, the oldest first, days without any included."""
    sizes = sorted(quantity for quantity in history if quantity > 0)
    if not sizes:
        return Demand(0.0, 0.0, ())
    largest = median(sizes) * LARGEST_MEDIANS
    size = fmean(min(quantity, largest) for quantity in sizes)
    likelihood = len(sizes) / len(history)
    for quantity in history:
        if quantity > 0:
            size += SMOOTHING * (min(quantity, largest) - size)
            likelihood += SMOOTHING * (1 - likelihood)
        else:
            likelihood -= SMOOTHING * likelihood
    return Demand(likelihood, size, sizes)


def expect_day(demand: Demand, factor: float = 1.0) -> Expected:
    """A day whose demand is `factor` times the usual. The bounds are quantiles of: nothing at all, or else one of the
    sizes that there were."""
    likelihood = min(demand.likelihood * factor, 1.0)
    tail = (1 - LEVEL) / 2
    return Expected(
        demand.per_day * factor, _quantile(demand, likelihood, tail), _quantile(demand, likelihood, 1 - tail)
    )


def _quantile(demand: Demand, likelihood: float, share: float) -> float:
    """The smallest demand that a day stays within with probability `share`."""
    if share <= 1 - likelihood or not demand.sizes:
        return 0.0
    among_sizes = (share - (1 - likelihood)) / likelihood
    return demand.sizes[min(int(among_sizes * len(demand.sizes)), len(demand.sizes) - 1)]


def expect_days(demand: Demand, factors: Sequence[float]) -> Expected:
    """All the days together; the bounds take their sum to be normally distributed, but never negative."""
    mean = demand.per_day * sum(factors)
    square = fmean(size * size for size in demand.sizes) if demand.sizes else 0.0
    variance = 0.0
    for factor in factors:
        likelihood = min(demand.likelihood * factor, 1.0)
        variance += max(likelihood * square - (likelihood * demand.size) ** 2, 0.0)
    reach = NormalDist().inv_cdf((1 + LEVEL) / 2) * sqrt(variance)
    return Expected(mean, max(mean - reach, 0.0), mean + reach)


def weekday_factors(totals: Sequence[float], first_weekday: int) -> list[float]:
    """How each weekday (Monday first) compares with the average day, from the whole shop's demand of each day.
    All are 1 until there are two weeks to tell from."""
    average = fmean(totals) if totals else 0.0
    if len(totals) < 14 or not average:
        return [1.0] * 7
    by_weekday = [totals[(weekday - first_weekday) % 7 :: 7] for weekday in range(7)]
    factors = [fmean(days) / average for days in by_weekday]
    return [factor * 7 / sum(factors) for factor in factors]
