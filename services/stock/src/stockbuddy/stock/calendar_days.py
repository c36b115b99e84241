"""Days as people in a place count them: where each begins in UTC, whatever their clocks do in between.

Boundaries are worked out here and handed to PostgreSQL as moments, so that one time zone database decides.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, StringConstraints

Span = Literal["day", "week", "month"]
MOST_PERIODS = 4000


def _known(name: str) -> str:
    try:
        zone_named(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("is not a time zone, such as Europe/Berlin") from error
    return name


def zone_named(name: str) -> ZoneInfo:
    """Raises KeyError or ValueError for a name that is not in the time zone database."""
    return ZoneInfo(name)


ZoneName = Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$"), AfterValidator(_known)]


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """Midnight there, or the first moment after it where the clocks skip midnight; in UTC."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()


def starts_of(days: Sequence[date], zone: ZoneInfo) -> list[datetime]:
    return [start_of(day, zone) for day in days]


def days_until(last: date, count: int) -> list[date]:
    """`count` days of which the latest is `last`."""
    return [last - timedelta(days=ago) for ago in reversed(range(count))]


def periods(first: date, until: date, span: Span) -> list[date]:
    """The first days of all periods that meet `[first, until)`. Weeks begin on Mondays.
    Raises ValueError for more than MOST_PERIODS."""
    found: list[date] = []
    day = period_of(first, span)
    while day < until:
        found.append(day)
        if len(found) > MOST_PERIODS:
            raise ValueError(f"comes to more than {MOST_PERIODS} periods")
        day = _next_period(day, span)
    return found


def period_of(day: date, span: Span) -> date:
    """The first day of the period that `day` lies in."""
    if span == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if span == "month" else day


def _next_period(day: date, span: Span) -> date:
    if span == "month":
        return (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return day + timedelta(days=7 if span == "week" else 1)
