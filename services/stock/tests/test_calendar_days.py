"""Days of places: they begin when clocks there say so, and are 23 or 25 hours long when clocks change."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from stockbuddy.stock.calendar_days import MOST_PERIODS, day_of, days_until, periods, start_of

BERLIN = ZoneInfo("Europe/Berlin")


def test_a_day_begins_at_midnight_there() -> None:
    assert start_of(date(2026, 1, 5), BERLIN) == datetime(2026, 1, 4, 23, tzinfo=UTC)
    assert start_of(date(2026, 7, 5), BERLIN) == datetime(2026, 7, 4, 22, tzinfo=UTC)
    assert start_of(date(2026, 1, 5), ZoneInfo("Asia/Kathmandu")) == datetime(2026, 1, 4, 18, 15, tzinfo=UTC)


def test_days_on_which_clocks_change_are_shorter_or_longer() -> None:
    spring, autumn = date(2026, 3, 29), date(2026, 10, 25)
    assert start_of(spring + timedelta(days=1), BERLIN) - start_of(spring, BERLIN) == timedelta(hours=23)
    assert start_of(autumn + timedelta(days=1), BERLIN) - start_of(autumn, BERLIN) == timedelta(hours=25)


def test_where_clocks_skip_midnight_no_moment_belongs_to_two_days() -> None:
    beirut = ZoneInfo("Asia/Beirut")
    first = start_of(date(2021, 3, 28), beirut)
    assert day_of(first - timedelta(seconds=1), beirut) == date(2021, 3, 27)
    assert day_of(first, beirut) == date(2021, 3, 28)


def test_periods_meet_the_days_asked_for() -> None:
    assert periods(date(2026, 1, 30), date(2026, 2, 2), "day") == [
        date(2026, 1, 30),
        date(2026, 1, 31),
        date(2026, 2, 1),
    ]
    assert periods(date(2026, 1, 1), date(2026, 1, 12), "week") == [date(2025, 12, 29), date(2026, 1, 5)]
    assert periods(date(2025, 11, 30), date(2026, 2, 2), "month") == [
        date(2025, 11, 1),
        date(2025, 12, 1),
        date(2026, 1, 1),
        date(2026, 2, 1),
    ]
    assert periods(date(2026, 1, 1), date(2026, 1, 1), "day") == []


def test_too_many_periods_are_refused() -> None:
    assert len(periods(date(2000, 1, 1), date(2000, 1, 1) + timedelta(days=MOST_PERIODS), "day")) == MOST_PERIODS
    with pytest.raises(ValueError, match="4000"):
        periods(date(2000, 1, 1), date(2026, 1, 1), "day")


def test_the_latest_days_end_with_the_last() -> None:
    assert days_until(date(2026, 3, 1), 3) == [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1)]
