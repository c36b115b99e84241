"""Calendar days in a time zone: their beginnings, also when clocks change, and periods of them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from stockbuddy.chassis.calendar_days import day_start
from stockbuddy.stock.calendar_days import MAX_PERIODS, days_until, local_date, period_starts

BERLIN = ZoneInfo("Europe/Berlin")


def test_day_start_is_local_midnight() -> None:
    assert day_start(date(2026, 1, 5), BERLIN) == datetime(2026, 1, 4, 23, tzinfo=UTC)
    assert day_start(date(2026, 7, 5), BERLIN) == datetime(2026, 7, 4, 22, tzinfo=UTC)
    assert day_start(date(2026, 1, 5), ZoneInfo("Asia/Kathmandu")) == datetime(2026, 1, 4, 18, 15, tzinfo=UTC)


def test_day_with_clock_change_is_shorter_or_longer() -> None:
    spring, autumn = date(2026, 3, 29), date(2026, 10, 25)
    assert day_start(spring + timedelta(days=1), BERLIN) - day_start(spring, BERLIN) == timedelta(hours=23)
    assert day_start(autumn + timedelta(days=1), BERLIN) - day_start(autumn, BERLIN) == timedelta(hours=25)


def test_day_without_midnight_starts_after_the_gap() -> None:
    beirut = ZoneInfo("Asia/Beirut")
    first = day_start(date(2021, 3, 28), beirut)
    assert local_date(first - timedelta(seconds=1), beirut) == date(2021, 3, 27)
    assert local_date(first, beirut) == date(2021, 3, 28)


def test_period_starts_cover_requested_days() -> None:
    assert period_starts(date(2026, 1, 30), date(2026, 2, 2), "day") == [
        date(2026, 1, 30),
        date(2026, 1, 31),
        date(2026, 2, 1),
    ]
    assert period_starts(date(2026, 1, 1), date(2026, 1, 12), "week") == [date(2025, 12, 29), date(2026, 1, 5)]
    assert period_starts(date(2025, 11, 30), date(2026, 2, 2), "month") == [
        date(2025, 11, 1),
        date(2025, 12, 1),
        date(2026, 1, 1),
        date(2026, 2, 1),
    ]
    assert period_starts(date(2026, 1, 1), date(2026, 1, 1), "day") == []


def test_period_starts_beyond_maximum_are_rejected() -> None:
    assert len(period_starts(date(2000, 1, 1), date(2000, 1, 1) + timedelta(days=MAX_PERIODS), "day")) == MAX_PERIODS
    with pytest.raises(ValueError, match="4000"):
        period_starts(date(2000, 1, 1), date(2026, 1, 1), "day")


def test_days_until_end_with_last_day() -> None:
    assert days_until(date(2026, 3, 1), 3) == [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1)]
