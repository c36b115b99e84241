"""Demand series from movements: units per day, days without stock, days with reduced prices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stockbuddy.stock.insights.forecasting.queries import MovedLevel, ReducedSales
from stockbuddy.stock.insights.forecasting.series import Bools, DemandSeries, Floats, Integers

MIN_SHARE_OF_REDUCED_UNITS = 0.5
"""A day is promoted if this share of its demand was sold at reduced prices."""
NOTHING = 0.0005
"""Half of the smallest quantity: sums of floating-point numbers below it are zero."""

Key = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DemandHistory:
    """`columns`: the column of each key, a product or a product and warehouse. `closing` (days, columns): the stock at
    the end of each day.."""

    columns: Mapping[Key, int]
    series: DemandSeries
    closing: Floats


def build_history(
    levels: Sequence[MovedLevel],
    reduced: Sequence[ReducedSales],
    days: int,
    weekday_factors: Sequence[float],
    *,
    by_warehouse: bool,
    min_start: int = 0,
) -> DemandHistory:
    """`days`: whole weeks; `weekday_factors` begin with the first day's weekday; `min_start`: the first day counted."""
    columns: dict[Key, int] = {}
    for level in levels:
        columns.setdefault(_key(level, by_warehouse), len(columns))
    size = len(columns)
    places = [columns[_key(level, by_warehouse)] for level in levels]
    on_hand = np.bincount(places, [level.on_hand for level in levels], size) if size else np.zeros(0)
    column = np.repeat(np.array(places, np.int64), [len(level.days) for level in levels])
    day = _joined([level.days for level in levels]).astype(np.int64) - 1
    change = _joined([level.changes for level in levels])
    is_demand = _joined([level.are_demand for level in levels]) > 0
    changes = _by_day(day, column, change, days + 1, size)
    demand = _by_day(day, column, np.where(is_demand, -change, 0.0), days + 1, size)[:days]
    closing = on_hand - _sums_after(changes)
    is_moved = _by_day(day, column, np.ones_like(change), days + 1, size)[:days] > 0
    opening = closing[0] - changes[0]
    return DemandHistory(
        columns,
        DemandSeries(
            demand=demand,
            starts=np.maximum(_first_days(is_moved, opening), min_start),
            is_sold_out=np.abs(closing[:days]) < NOTHING,
            is_promoted=_promoted_days(reduced, columns, demand, by_warehouse=by_warehouse),
            weekday_factors=np.array(weekday_factors),
        ),
        closing[:days],
    )


def _key(row: MovedLevel | ReducedSales, by_warehouse: bool) -> Key:
    return (row.product_id, row.warehouse_id) if by_warehouse else (row.product_id,)


def _joined(parts: Sequence[Sequence[float]]) -> Floats:
    return np.array([value for part in parts for value in part], np.float64)


def _by_day(day: Integers, column: Integers, values: Floats, days: int, columns: int) -> Floats:
    """Sums of `values` (days, columns)."""
    sums = np.bincount(day * columns + column, values, days * columns)
    return sums.astype(np.float64).reshape(days, columns)


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


def _promoted_days(
    reduced: Sequence[ReducedSales], columns: Mapping[Key, int], demand: Floats, *, by_warehouse: bool
) -> Bools:
    units = np.zeros_like(demand)
    for sales in reduced:
        if (column := columns.get(_key(sales, by_warehouse))) is not None:
            units[sales.day - 1, column] += sales.quantity
    promoted: Bools = (units > 0) & (units >= MIN_SHARE_OF_REDUCED_UNITS * demand)
    return promoted
