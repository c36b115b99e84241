"""Calendar days and periods in a time zone, as the UTC moments at which they begin."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, StringConstraints

from stockbuddy.chassis.calendar_days import day_start

PeriodUnit = Literal["day", "week", "month"]
MAX_PERIODS = 4000


def _require_known(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("is not an IANA time zone, such as Europe/Berlin") from error
    return name


TimezoneName = Annotated[
    str, StringConstraints(max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$"), AfterValidator(_require_known)
]


def day_starts(days: Sequence[date], zone: ZoneInfo) -> list[datetime]:
    return [day_start(day, zone) for day in days]


def last_moment_of(end: date | datetime, zone: ZoneInfo) -> datetime:
    """A moment as it is; of a day, its last microsecond."""
    return end if isinstance(end, datetime) else day_start(end + timedelta(days=1), zone) - timedelta(microseconds=1)


def first_day_from(end: date | datetime, zone: ZoneInfo) -> date:
    """A day as it is; of a moment, the first day that does not begin before it."""
    if not isinstance(end, datetime):
        return end
    day = local_date(end, zone)
    return day if day_start(day, zone) >= end else day + timedelta(days=1)


def local_date(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()


def days_until(last: date, count: int) -> list[date]:
    """`count` consecutive days that end with `last`."""
    return [last - timedelta(days=ago) for ago in reversed(range(count))]


def period_starts(first: date, until: date, unit: PeriodUnit) -> list[date]:
    """The first days of all periods that overlap `[first, until)`. Weeks begin on Mondays.
    Raises ValueError for more than MAX_PERIODS."""
    starts: list[date] = []
    day = period_start(first, unit)
    while day < until:
        starts.append(day)
        if len(starts) > MAX_PERIODS:
            raise ValueError(f"spans more than {MAX_PERIODS} periods")
        day = _next_period(day, unit)
    return starts


def period_start(day: date, unit: PeriodUnit) -> date:
    """The first day of the period that contains `day`."""
    if unit == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if unit == "month" else day


def _next_period(day: date, unit: PeriodUnit) -> date:
    if unit == "month":
        return (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return day + timedelta(days=7 if unit == "week" else 1)
