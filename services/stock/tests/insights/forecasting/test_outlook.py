"""Forecasts of series whose demand is known: what a shopkeeper expects, and how often intervals contain the outcome."""

from collections.abc import Callable, Sequence
from datetime import date

import numpy as np
import pytest

from stockbuddy.stock.insights.forecasting.outlook import LEVEL, Outlook, forecast
from stockbuddy.stock.insights.forecasting.series import Bools, DemandSeries, Floats
from stockbuddy.stock.insights.forecasting.weekday_factors import weekday_factors

MIN_ROWS = 70
SERIES = 300
HORIZON = 14


def series_of(
    sales: Floats, *, is_sold_out: Bools | None = None, is_promoted: Bools | None = None, start: int = 0
) -> DemandSeries:
    none = np.zeros(sales.shape, np.bool_)
    return DemandSeries(
        demand=sales,
        starts=np.full(sales.shape[1], start),
        is_sold_out=none if is_sold_out is None else is_sold_out,
        is_promoted=none if is_promoted is None else is_promoted,
        weekday_factors=np.ones(7),
    )


def forecast_one(history: Sequence[float], **marks: Sequence[bool]) -> Outlook:
    """The forecast of a single product with the demand of these days."""
    rows = max(-(-len(history) // 7) * 7, MIN_ROWS)
    missing = rows - len(history)
    sales = np.array([0.0] * missing + list(history))[:, None]
    columns = {name: np.array([False] * missing + list(mark))[:, None] for name, mark in marks.items()}
    return forecast(series_of(sales, **columns, start=missing), HORIZON)


def total_of(outlook: Outlook, days: int = HORIZON) -> tuple[float, float, float]:
    low, high = outlook.sum_interval(np.array([days]))
    return float(outlook.sum_until(np.array([days]))[0]), float(low[0]), float(high[0])


def test_rising_demand_is_expected_to_rise() -> None:
    """From 1 to 60 a day in 60 days."""
    found = forecast_one([float(day) for day in range(1, 61)])
    assert found.mean[:3, 0] == pytest.approx([61, 62, 63], abs=1.5)
    assert (np.diff(found.mean[:, 0]) > 0).all()
    mean, low, high = total_of(found)
    assert low < mean < high
    assert mean == pytest.approx(sum(range(61, 75)), rel=0.05)


def test_falling_demand_is_expected_to_end() -> None:
    """From 60 to 1 a day in 60 days."""
    found = forecast_one([float(day) for day in range(60, 0, -1)])
    assert found.mean[:, 0].max() < 2
    mean, low, high = total_of(found)
    assert (low, mean < 5, high < 20) == (0, True, True)


@pytest.mark.parametrize("weeks", [9, 26])
def test_saturdays_are_expected_to_differ(weeks: int) -> None:
    found = forecast_one([30.0 if day % 7 == 5 else 5.0 for day in range(7 * weeks)])
    assert found.mean[:, 0] == pytest.approx([5, 5, 5, 5, 5, 30, 5] * 2)
    assert total_of(found) == pytest.approx((120, 120, 120))


def test_steady_demand_is_expected_to_continue() -> None:
    for days in (1, 10, 182, 364):
        found = forecast_one([4.0] * days)
        assert found.mean[:, 0] == pytest.approx([4.0] * HORIZON)


def test_demand_on_few_days_is_spread() -> None:
    found = forecast_one([0.0, 0.0, 0.0, 0.0, 10.0] * 20)
    assert found.mean[:, 0].mean() == pytest.approx(2, rel=0.25)
    assert found.low[:, 0].max() == 0
    mean, low, high = total_of(found)
    assert low < mean < high


def test_product_that_is_sold_no_longer_is_not_expected_to_be() -> None:
    assert total_of(forecast_one([3.0, 0.0] * 40 + [0.0] * 60))[0] < 1
    assert total_of(forecast_one([0.0] * 90)) == (0, 0, 0)


def test_bulk_order_hardly_changes_forecast() -> None:
    usual = [4.0, 6.0, 5.0] * 30
    with_bulk = [*usual[:-2], 4000.0, 5.0]
    assert total_of(forecast_one(with_bulk))[0] < 1.5 * total_of(forecast_one(usual))[0]


def test_days_without_stock_do_not_lower_forecast() -> None:
    known = [8.0, 12.0, 10.0, 9.0, 11.0] * 16
    sold_out = known + [0.0] * 25
    marked = forecast_one(sold_out, is_sold_out=[False] * 80 + [True] * 25)
    assert total_of(marked)[0] == pytest.approx(total_of(forecast_one(known))[0], rel=0.05)
    assert total_of(forecast_one(sold_out))[0] < 70


def test_goods_ordered_for_each_sale_are_forecast_from_all_days() -> None:
    """The stock is empty whenever nothing was ordered: these days are days without demand."""
    history = [0.0, 0.0, 0.0, 2.0] * 30
    found = forecast_one(history, is_sold_out=[True] * len(history))
    assert total_of(found)[0] == pytest.approx(total_of(forecast_one(history))[0])
    assert found.days_without_stock[0] == 0


def test_promotion_does_not_raise_forecast_unless_prices_are_always_reduced() -> None:
    history = [5.0] * 80 + [20.0] * 12
    promoted = forecast_one(history, is_promoted=[False] * 80 + [True] * 12)
    assert promoted.mean[:, 0] == pytest.approx([5.0] * HORIZON)
    assert forecast_one(history).mean[0, 0] > 12
    risen = forecast_one(history, is_promoted=[True] * 92)
    assert risen.mean[:, 0] == pytest.approx(forecast_one(history).mean[:, 0])


def test_season_of_the_year_before_is_expected_again() -> None:
    """Demand is tripled for eight weeks of every year; the next of them begins in a week."""
    days = np.arange(728)
    chance = np.random.default_rng(5)
    sales = chance.poisson(np.where((days + 7) % 364 < 56, 60, 20), (1, 728)).astype(float).T
    found = forecast(series_of(sales), 42)
    assert found.method == ["yearly_profile"]
    assert found.mean[21:, 0].mean() == pytest.approx(60, rel=0.2)


def test_method_of_short_history_is_not_compared() -> None:
    assert not forecast_one([5.0] * 30).is_compared[0]
    assert forecast_one([5.0] * 35).is_compared[0]


def test_columns_do_not_depend_on_each_other() -> None:
    chance = np.random.default_rng(3)
    sales = chance.poisson(6, (98, 600)).astype(float)
    together = forecast(series_of(sales), HORIZON)
    for column in (0, 511, 512, 599):
        alone = forecast(series_of(sales[:, [column]]), HORIZON)
        assert alone.mean[:, 0] == pytest.approx(together.mean[:, column])
        assert alone.method == [together.method[column]]


Draw = Callable[[np.random.Generator, int], Floats]
DAYS = 182


def steady(chance: np.random.Generator, days: int) -> Floats:
    return chance.poisson(chance.uniform(3, 40, SERIES), (days, SERIES)).astype(float)


def weekly(chance: np.random.Generator, days: int) -> Floats:
    profile = chance.dirichlet([6.0] * 7, SERIES).T * 7
    rate = chance.uniform(5, 40, SERIES) * np.tile(profile, (-(-days // 7), 1))[:days]
    return chance.negative_binomial(rate, 0.5).astype(float)


def rising(chance: np.random.Generator, days: int) -> Floats:
    rate = chance.uniform(5, 20, SERIES) * (1 + np.linspace(0, 2, days))[:, None]
    return chance.negative_binomial(rate, 0.6).astype(float)


def shifting(chance: np.random.Generator, days: int) -> Floats:
    level = np.exp(np.cumsum(chance.normal(0, 0.03, (days, SERIES)), axis=0))
    return chance.poisson(chance.uniform(5, 30, SERIES) * level).astype(float)


def rare(chance: np.random.Generator, days: int) -> Floats:
    is_sold = chance.random((days, SERIES)) < chance.uniform(0.1, 0.4, SERIES)
    return is_sold * (1.0 + chance.poisson(2, (days, SERIES)))


# The level of `shifting` drifts further in two weeks than the back-test shows. Of `rare`, most days are without demand,
# and an interval that contains zero contains more outcomes.
@pytest.mark.parametrize(
    ("draw", "most_of_days", "least_of_totals"),
    [(steady, 0.85, 0.75), (weekly, 0.85, 0.75), (rising, 0.85, 0.75), (shifting, 0.85, 0.70), (rare, 0.92, 0.75)],
)
def test_interval_contains_outcome_at_its_level(draw: Draw, most_of_days: float, least_of_totals: float) -> None:
    sales = draw(np.random.default_rng(11), DAYS + HORIZON)
    found = forecast(series_of(sales[:DAYS]), HORIZON)
    actual = sales[DAYS:]
    of_days = float(((found.low <= actual) & (actual <= found.high)).mean())
    low, high = found.sum_interval(np.full(SERIES, HORIZON))
    total = actual.sum(axis=0)
    of_totals = float(((low <= total) & (total <= high)).mean())
    assert LEVEL - 0.05 <= of_days <= most_of_days
    assert least_of_totals <= of_totals <= LEVEL + 0.05


@pytest.mark.parametrize("draw", [steady, rare])
def test_interval_of_short_history_contains_outcome(draw: Draw) -> None:
    """Sixteen days are too few for a back-test."""
    known = 16
    sales = draw(np.random.default_rng(11), known + HORIZON)
    padded = np.concatenate([np.zeros((MIN_ROWS - known, SERIES)), sales[:known]])
    found = forecast(series_of(padded, start=MIN_ROWS - known), HORIZON)
    actual = sales[known:]
    assert not found.is_compared.any()
    assert LEVEL - 0.05 <= float(((found.low <= actual) & (actual <= found.high)).mean()) <= LEVEL + 0.1
    assert (found.high == np.rint(found.high))[found.high > found.mean].all()


def test_demand_after_shift_is_that_of_the_new_level() -> None:
    """It doubles six weeks before today; the errors of the shift do not widen the intervals of sums for long."""
    chance = np.random.default_rng(11)
    level = chance.uniform(10, 40, SERIES)
    days = np.arange(DAYS)[:, None]
    found = forecast(series_of(chance.poisson(np.where(days < DAYS - 42, level, 2 * level)).astype(float)), HORIZON)
    assert found.mean.mean(axis=0) == pytest.approx(2 * level, rel=0.35)
    assert found.mean.mean() == pytest.approx(2 * level.mean(), rel=0.02)
    low, high = found.sum_interval(np.full(SERIES, HORIZON))
    assert float(((high - low) / (2 * HORIZON * level)).mean()) < 0.5


@pytest.mark.parametrize("days", [483, 490, 497, 560, 574, 735])
def test_season_is_compared_from_sixteen_weeks_after_the_year_on(days: int) -> None:
    sales = np.random.default_rng(5).poisson(20, (days, 3)).astype(float)
    found = forecast(series_of(sales), HORIZON)
    assert found.mean == pytest.approx(20, rel=0.2)
    assert found.methods == (8 if days >= 490 else 7)


def test_service_level_is_reached() -> None:
    """The demand of the lead time exceeds its quantile as often as planned."""
    sales = weekly(np.random.default_rng(12), DAYS + 7)
    found = forecast(series_of(sales[:DAYS]), 7)
    most = found.sum_quantile(np.full(SERIES, 7), 0.95)
    assert 0.92 <= float((sales[DAYS:].sum(axis=0) <= most).mean()) <= 0.99


def test_sum_beyond_days_forecast_continues_their_last_week() -> None:
    found = forecast_one([4.0] * 100)
    assert total_of(found, 100)[0] == pytest.approx(400)
    assert total_of(found, 0) == (0, 0, 0)


def test_weekday_factors_of_weekly_pattern_follow_it() -> None:
    first = date(2026, 3, 4)
    week = {0: 10.0, 1: 10.0, 2: 10.0, 3: 10.0, 4: 20.0, 5: 0.0, 6: 10.0}
    totals = [week[(first.weekday() + ahead) % 7] for ahead in range(28)]
    assert weekday_factors(totals, first.weekday()) == pytest.approx([1.0, 1.0, 1.0, 1.0, 2.0, 0.0, 1.0])
    assert weekday_factors(totals[:13], first.weekday()) == [1.0] * 7
    assert weekday_factors([], 0) == [1.0] * 7
