"""Generated sales whose demand is known: what was sold, what would have been, and the marks of each day."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from stockbuddy.stock.insights.forecasting.series import Bools, Floats

SERIES = 60
SEED = 20261130


@dataclass(frozen=True)
class Generated:
    """Arrays (days, series). `demand`: what was wanted, `sales`: what was sold of it."""

    name: str
    demand: Floats
    sales: Floats
    is_sold_out: Bools
    is_promoted: Bools


def generated(days: int, horizon: int, *, series: int = SERIES, seed: int = SEED) -> Iterator[Generated]:
    """Series of `days` days, followed by `horizon` days without promotion or stock-out."""
    length = days + horizon
    chance = np.random.default_rng(seed)
    base = np.exp(chance.uniform(np.log(3), np.log(40), series))
    day = np.arange(length)[:, None]
    weekly = np.tile(chance.dirichlet([6.0] * 7, series).T * 7, (-(-length // 7), 1))[:length]
    growth = 1 + chance.uniform(-0.9, 2.5, series) * day / length
    none = np.zeros((length, series), np.bool_)

    def counts(rate: Floats) -> Floats:
        """Demand with a variance of 1.5 times its mean."""
        return chance.negative_binomial(np.maximum(2 * rate, 1e-6), 2 / 3).astype(np.float64)

    def plain(name: str, rate: Floats) -> Generated:
        demand = counts(rate)
        return Generated(name, demand, demand, none, none)

    yield plain("steady", np.broadcast_to(base, (length, series)).copy())
    yield plain("weekly", base * weekly)
    yield plain("trend", base * np.maximum(growth, 0.03))
    yield plain("trend, weekly", base * weekly * np.maximum(growth, 0.03))
    shift = np.where(day > chance.integers(days // 2, days - 21, series), chance.choice([0.4, 2.2], series), 1.0)
    yield plain("level shift", base * shift)
    is_sold = chance.random((length, series)) < chance.uniform(0.05, 0.4, series)
    rare = is_sold * (1.0 + chance.poisson(2, (length, series)))
    yield Generated("intermittent", rare, rare, none, none)
    demand = counts(base * weekly)
    is_out = spells(chance, days, (length, series), lasting=(4, 20), every=45)
    is_out[days - 10 : days, ::2] = True
    yield Generated("stock-outs", demand, np.where(is_out, 0.0, demand), is_out, none)
    is_promoted = spells(chance, days, (length, series), lasting=(5, 14), every=60)
    is_promoted[days - 7 : days, ::2] = True
    demand = counts(base * weekly * np.where(is_promoted, 2.5, 1.0))
    yield Generated("promotions", demand, demand, none, is_promoted)


def generated_years(horizon: int, *, series: int = SERIES, seed: int = SEED) -> Generated:
    """Two years with a season of the year and a weekly pattern."""
    days = 728
    chance = np.random.default_rng(seed)
    day = np.arange(days + horizon)[:, None]
    season = 1 + 0.6 * np.sin(2 * np.pi * (day + chance.uniform(0, 365, series)) / 365)
    weekly = np.tile(chance.dirichlet([6.0] * 7, series).T * 7, (-(-len(day) // 7), 1))[: len(day)]
    rate = np.exp(chance.uniform(np.log(5), np.log(40), series)) * weekly * season
    demand = chance.negative_binomial(2 * rate, 2 / 3).astype(np.float64)
    none = np.zeros(demand.shape, np.bool_)
    return Generated("yearly, weekly", demand, demand, none, none)


def spells(
    chance: np.random.Generator, days: int, shape: tuple[int, int], *, lasting: tuple[int, int], every: int
) -> Bools:
    """Days in spells, each of `lasting` days, about one in `every` days of the history."""
    marks = np.zeros(shape, np.bool_)
    for series in range(shape[1]):
        for first in chance.integers(0, days, days // every):
            marks[first : first + chance.integers(*lasting), series] = True
    marks[days:] = False
    return marks
