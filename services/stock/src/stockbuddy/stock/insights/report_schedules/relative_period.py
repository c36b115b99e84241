"""Periods relative to the day of a run, such as `last_week`."""

from datetime import date, timedelta
from typing import Literal, get_args

from stockbuddy.stock.calendar_days import period_start

RelativePeriod = Literal["today", "yesterday", "last_7_days", "last_30_days", "this_month", "last_week", "last_month"]
PERIODS: tuple[RelativePeriod, ...] = get_args(RelativePeriod)


def days_of(period: RelativePeriod, today: date) -> tuple[date, date]:
    """The first day, and the day after the last one. `last_7_days` ends with yesterday; weeks begin on Mondays."""
    tomorrow, this_week, this_month = (
        today + timedelta(days=1),
        period_start(today, "week"),
        period_start(today, "month"),
    )
    bounds: dict[RelativePeriod, tuple[date, date]] = {
        "today": (today, tomorrow),
        "yesterday": (today - timedelta(days=1), today),
        "last_7_days": (today - timedelta(days=7), today),
        "last_30_days": (today - timedelta(days=30), today),
        "this_month": (this_month, tomorrow),
        "last_week": (this_week - timedelta(days=7), this_week),
        "last_month": (period_start(this_month - timedelta(days=1), "month"), this_month),
    }
    return bounds[period]
