"""The TSB method: probability and size of demand, bulk orders, and the coverage of its intervals."""

import random
from datetime import date
from statistics import fmean

import pytest

from stockbuddy.stock.insights.forecasting.tsb import LEVEL, fit, forecast_day, forecast_days, weekday_factors


def test_forecast_of_steady_demand_equals_it() -> None:
    demand = fit([4.0] * 30)
    assert demand.per_day == pytest.approx(4)
    day = forecast_day(demand)
    assert (day.mean, day.low, day.high) == pytest.approx((4, 4, 4))


def test_forecast_of_demand_every_fifth_day_is_a_fifth() -> None:
    demand = fit(([0.0] * 4 + [10.0]) * 20)
    assert demand.size == pytest.approx(10)
    assert demand.per_day == pytest.approx(2, rel=0.25)
    day = forecast_day(demand)
    assert (day.low, day.high) == (0, 10)


def test_forecast_without_recent_demand_decreases() -> None:
    selling = [3.0, 0.0] * 20
    forecasts = [fit(selling + [0.0] * days).per_day for days in (0, 10, 30, 100)]
    assert forecasts == sorted(forecasts, reverse=True)
    assert forecasts[-1] < 0.001


def test_forecast_after_bulk_order_is_limited() -> None:
    usual = ([0.0] * 3 + [2.0]) * 15
    with_bulk = [*usual[:-1], 5000.0]
    assert fit(with_bulk).per_day < 2 * fit(usual).per_day


def test_forecast_without_demand_is_zero() -> None:
    for history in ([], [0.0], [0.0] * 50):
        assert forecast_day(fit(history)).high == 0
        assert forecast_days(fit(history), [1.0] * 7).high == 0


def test_interval_contains_demand_at_its_level() -> None:
    chance = random.Random(3)

    def draw() -> float:
        return chance.choice([1.0, 2.0, 3.0, 5.0, 8.0]) if chance.random() < 0.4 else 0.0

    days = weeks = 0
    for _ in range(300):
        demand = fit([draw() for _ in range(120)])
        day, week = forecast_day(demand), forecast_days(demand, [1.0] * 7)
        days += day.low <= draw() <= day.high
        weeks += week.low <= sum(draw() for _ in range(7)) <= week.high
    # A day's demand is discrete, so its interval covers more than LEVEL.
    assert LEVEL - 0.03 <= days / 300 <= 1
    assert LEVEL - 0.08 <= weeks / 300 <= LEVEL + 0.12


def test_forecast_with_factor_zero_is_zero() -> None:
    day = forecast_day(fit([2.0] * 40), factor=0.0)
    assert (day.mean, day.low, day.high) == (0, 0, 0)


def test_weekday_factors_of_weekly_pattern_follow_it() -> None:
    first = date(2026, 3, 4)
    week = {0: 10.0, 1: 10.0, 2: 10.0, 3: 10.0, 4: 20.0, 5: 0.0, 6: 10.0}
    totals = [week[(first.weekday() + ahead) % 7] for ahead in range(28)]
    factors = weekday_factors(totals, first.weekday())
    assert factors == pytest.approx([1.0, 1.0, 1.0, 1.0, 2.0, 0.0, 1.0])
    assert fmean(factors) == pytest.approx(1)
    assert weekday_factors(totals[:13], first.weekday()) == [1.0] * 7
    assert weekday_factors([], 0) == [1.0] * 7
