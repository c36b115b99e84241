"""Recurrences and relative periods: days, months and changes of the clock."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from stockbuddy.stock.insights.report_schedules.recurrence import Recurrence
from stockbuddy.stock.insights.report_schedules.relative_period import PERIODS, days_of

BERLIN = ZoneInfo("Europe/Berlin")


def rule(frequency: str, at: str = "07:00", **days: object) -> Recurrence:
    return Recurrence.model_validate({"frequency": frequency, "time": at, **days})


def runs(recurrence: Recurrence, after: datetime, count: int, zone: ZoneInfo = BERLIN) -> list[str]:
    """The next runs in local time, with the offset."""
    found = []
    for _ in range(count):
        after = recurrence.next_after(after, zone)
        found.append(after.astimezone(zone).isoformat(timespec="minutes"))
    return found


def test_daily_run_keeps_its_local_time_across_changes_of_the_clock() -> None:
    assert runs(rule("daily"), datetime(2026, 3, 28, tzinfo=UTC), 2) == [
        "2026-03-28T07:00+01:00",
        "2026-03-29T07:00+02:00",
    ]


def test_time_that_does_not_exist_runs_once() -> None:
    assert runs(rule("daily", "02:30"), datetime(2026, 3, 28, 12, tzinfo=UTC), 2) == [
        "2026-03-29T03:30+02:00",
        "2026-03-30T02:30+02:00",
    ]


def test_time_that_exists_twice_runs_once() -> None:
    assert runs(rule("daily", "02:30"), datetime(2026, 10, 24, 12, tzinfo=UTC), 2) == [
        "2026-10-25T02:30+02:00",
        "2026-10-26T02:30+01:00",
    ]


def test_weekly_run_on_several_days() -> None:
    weekly = rule("weekly", weekdays=["friday", "monday"])
    assert [day[:10] for day in runs(weekly, datetime(2026, 11, 30, 6, tzinfo=UTC), 3)] == [
        "2026-12-04",
        "2026-12-07",
        "2026-12-11",
    ]
    assert runs(weekly, datetime(2026, 11, 30, 5, 59, tzinfo=UTC), 1) == ["2026-11-30T07:00+01:00"]


def test_monthly_run_on_a_day_that_short_months_lack_is_on_their_last_day() -> None:
    after = datetime(2027, 1, 5, tzinfo=UTC)
    assert [day[:10] for day in runs(rule("monthly", day_of_month=31), after, 4)] == [
        "2027-01-31",
        "2027-02-28",
        "2027-03-31",
        "2027-04-30",
    ]
    assert [day[:10] for day in runs(rule("monthly", day_of_month=30), after, 2)] == ["2027-01-30", "2027-02-28"]
    assert [day[:10] for day in runs(rule("monthly", day_of_month=5), after, 1)] == ["2027-01-05"]


@given(
    minutes=st.integers(0, 5 * 365 * 24 * 60),
    hour=st.integers(0, 23),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia"]),
)
def test_daily_rule_runs_once_on_every_day(minutes: int, hour: int, zone: str) -> None:
    recurrence, where = rule("daily", f"{hour:02}:15"), ZoneInfo(zone)
    moments = [datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)]
    for _ in range(4):
        moments.append(recurrence.next_after(moments[-1], where))
    days = [moment.astimezone(where).date().toordinal() for moment in moments[1:]]
    assert [later - earlier for earlier, later in pairwise(days)] == [1, 1, 1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"frequency": "weekly"},
        {"frequency": "monthly"},
        {"frequency": "daily", "weekdays": ["monday"]},
        {"frequency": "daily", "day_of_month": 1},
        {"frequency": "monthly", "day_of_month": 32},
        {"frequency": "weekly", "weekdays": ["someday"]},
        {"frequency": "daily", "time": "24:00"},
        {"frequency": "hourly"},
    ],
)
def test_contradictory_recurrence_is_rejected(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Recurrence.model_validate({"time": "07:00", **wrong})


def test_periods_are_whole_days_before_or_up_to_the_day_of_the_run() -> None:
    wednesday = date(2026, 3, 4)
    assert {period: [str(day) for day in days_of(period, wednesday)] for period in PERIODS} == {
        "today": ["2026-03-04", "2026-03-05"],
        "yesterday": ["2026-03-03", "2026-03-04"],
        "last_7_days": ["2026-02-25", "2026-03-04"],
        "last_30_days": ["2026-02-02", "2026-03-04"],
        "this_month": ["2026-03-01", "2026-03-05"],
        "last_week": ["2026-02-23", "2026-03-02"],
        "last_month": ["2026-02-01", "2026-03-01"],
    }
