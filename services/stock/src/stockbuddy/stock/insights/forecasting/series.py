"""Past demand of many products as arrays: a row for each day, a column for each product or level.

Methods work on all columns at once, so that a forecast of every level of a shop takes little longer than the query of
its history. This module and those that import it are loaded with the first forecast, because numpy takes 27 MB.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

WEEK = 7
MAX_SIZE_IN_MEDIANS = 5.0
MAX_SIZE_IN_LARGE_SIZES = 2.0
MIN_SALES_FOR_LARGE_SIZES = 28
"""In fewer, the largest tenth may consist of bulk orders only."""
MAX_SHARE_OF_PROMOTIONS = 1 / 3
"""If more days with sales are marked, the list price has risen, and the marks say nothing."""
MAX_SHARE_OF_SOLD_OUT_DAYS = 1 / 2
"""If stock is used up on more days with sales, goods are ordered for each sale: days without stock are usual."""


@dataclass(frozen=True, slots=True)
class DemandSeries:
    """Units per day. `demand`, `is_sold_out` and `is_promoted` have the shape (days, columns), days being whole weeks
    that end yesterday; `starts`: the first day of each column; `weekday_factors`: the weekdays' demand in relation to
    the average day, over all products, beginning with the weekday of the first row."""

    demand: Floats
    starts: Integers
    is_sold_out: Bools
    is_promoted: Bools
    weekday_factors: Floats

    @property
    def days(self) -> int:
        return int(self.demand.shape[0])

    @property
    def columns(self) -> int:
        return int(self.demand.shape[1])

    def part(self, columns: slice | Integers) -> "DemandSeries":
        return DemandSeries(
            self.demand[:, columns],
            self.starts[columns],
            self.is_sold_out[:, columns],
            self.is_promoted[:, columns],
            self.weekday_factors,
        )


@dataclass(frozen=True, slots=True)
class CleanSeries:
    """Demand without bulk orders, and the bounds of what a day may contribute: a day without stock can only raise an
    estimate, a promoted day can only lower it, and a day before the first cannot change it."""

    demand: Floats
    starts: Integers
    is_counted: Bools
    lowest_error: Floats
    highest_error: Floats
    weekday_factors: Floats

    @property
    def days(self) -> int:
        return int(self.demand.shape[0])


def clean(series: DemandSeries) -> CleanSeries:
    is_active = np.arange(series.days)[:, None] >= series.starts
    demand = limit_bulk_orders(np.where(is_active, series.demand, 0.0))
    is_promoted = series.is_promoted & is_rare(series.is_promoted, demand, MAX_SHARE_OF_PROMOTIONS)
    is_sold_out = series.is_sold_out & is_rare(series.is_sold_out, demand, MAX_SHARE_OF_SOLD_OUT_DAYS)
    return CleanSeries(
        demand=demand,
        starts=series.starts,
        is_counted=is_active & ~is_sold_out & ~is_promoted,
        lowest_error=np.where(is_sold_out | ~is_active, 0.0, -np.inf),
        highest_error=np.where(is_promoted | ~is_active, 0.0, np.inf),
        weekday_factors=series.weekday_factors,
    )


def limit_bulk_orders(demand: Floats) -> Floats:
    """Limit each day to a multiple of the product's usual sizes; the largest tenth is usual if there are many."""
    days, columns = demand.shape
    sizes = np.sort(demand, axis=0)
    sold_days = np.count_nonzero(sizes, axis=0)
    column = np.arange(columns)
    medians = sizes[np.clip(days - 1 - (sold_days - 1) // 2, 0, days - 1), column]
    large = sizes[np.clip(days - 1 - sold_days // 10, 0, days - 1), column]
    limits = medians * MAX_SIZE_IN_MEDIANS
    limits = np.where(
        sold_days < MIN_SALES_FOR_LARGE_SIZES, limits, np.maximum(limits, large * MAX_SIZE_IN_LARGE_SIZES)
    )
    limited: Floats = np.minimum(demand, limits)
    return limited


def is_rare(is_marked: Bools, demand: Floats, share: float) -> Bools:
    """Whether at most this share of a column's days with demand is marked."""
    is_sold = demand > 0
    rare: Bools = np.count_nonzero(is_marked & is_sold, axis=0) <= share * np.count_nonzero(is_sold, axis=0)
    return rare


def window_sums(values: Floats, before: int, after: int) -> Floats:
    """For each row, the sum of the rows from `before` rows earlier to `after` rows later."""
    rows = np.arange(values.shape[0])
    sums = np.vstack([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    window: Floats = sums[np.minimum(rows + after + 1, len(rows))] - sums[np.maximum(rows - before, 0)]
    return window
