"""Demand series from the ledger: units per day, days without stock, days with reduced prices."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stockbuddy.stock.insights.forecasting.ledger_entries import Key, unpack
from stockbuddy.stock.insights.forecasting.queries import LedgerRows
from stockbuddy.stock.insights.forecasting.series import Bools, DemandSeries, Floats, Integers

MIN_SHARE_OF_REDUCED_UNITS = 0.5
"""A day is promoted if this share of its demand was sold at reduced prices."""
NOTHING = 0.0005
"""Half of the smallest quantity: sums of floating-point numbers below it are zero."""


@dataclass(frozen=True, slots=True)
class DemandHistory:
    """Of each key: its column of the series, whether it was ever in stock, and whether it was moved since the first
    day."""

    series: DemandSeries
    is_known: Bools
    is_moved: Bools


def build_history(
    rows: Sequence[LedgerRows], keys: Sequence[Key], days: int, weekday_factors: Sequence[float], *, min_start: int = 0
) -> DemandHistory:
    """`days`: whole weeks; `weekday_factors` begin with the first day's weekday; `min_start`: the first day counted."""
    size = len(keys)
    entries = unpack(rows, keys)
    sold, other, stock = entries["demand"], entries["other"], entries["stock"]
    demand = -sold.by_day(days + 1, size)
    changes = other.by_day(days + 1, size) - demand
    closing = np.bincount(stock.column, stock.quantity, size) - _sums_after(changes)
    is_moved = np.zeros((days + 1, size), np.bool_)
    for moved in (sold, other):
        is_moved[moved.day, moved.column] = True
    reduced = entries["reduced"].by_day(days, size)
    series = DemandSeries(
        demand=demand[:days],
        starts=np.maximum(_first_days(is_moved[:days], closing[0] - changes[0]), min_start),
        is_sold_out=np.abs(closing[:days]) < NOTHING,
        is_promoted=(reduced > 0) & (reduced >= MIN_SHARE_OF_REDUCED_UNITS * demand[:days]),
        weekday_factors=np.array(weekday_factors),
    )
    is_known: Bools = np.bincount(stock.column, minlength=size) > 0
    return DemandHistory(series, is_known, np.logical_or.reduce(is_moved))


def _sums_after(changes: Floats) -> Floats:
    """For each row, the sum of the rows after it."""
    sums: Floats = np.cumsum(changes[::-1], axis=0)[::-1] - changes
    return sums


def _first_days(is_moved: Bools, opening: Floats) -> Integers:
    """The first day of each column: the first of the history if there was stock before it, else that of the first
    movement. Without any, the last."""
    moved = np.where(is_moved.any(axis=0), is_moved.argmax(axis=0), len(is_moved) - 1)
    first: Integers = np.where(np.abs(opening) < NOTHING, moved, 0)
    return first
