"""The period and the moment that a report is about, from query parameters with dates or times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Depends, Query
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from stockbuddy.chassis.fields import MAX_YEAR, MIN_YEAR, UtcTime
from stockbuddy.chassis.http.errors import Unprocessable
from stockbuddy.stock.calendar_days import PeriodUnit, day_start, day_starts, local_date, period_starts
from stockbuddy.stock.insights.company_timezone import CompanyTimezone

DEFAULT_DAYS = 30
_TIME: TypeAdapter[datetime] = TypeAdapter(UtcTime)
_DATE_LENGTH = 10


@dataclass(frozen=True, slots=True)
class Period:
    """`[since, until)`. Its days begin and end in `zone`."""

    since: datetime
    until: datetime
    zone: ZoneInfo

    @property
    def first_day(self) -> date:
        return local_date(self.since, self.zone)

    @property
    def day_after(self) -> date:
        """The day after the last day that the period overlaps."""
        return local_date(self.until - timedelta(microseconds=1), self.zone) + timedelta(days=1)

    @property
    def days(self) -> int:
        return max((self.day_after - self.first_day).days, 1)

    def split(self, unit: PeriodUnit) -> tuple[list[date], list[datetime]]:
        """The first day of each part, and the moment at which it begins. Raises Unprocessable for too many parts."""
        try:
            days = period_starts(self.first_day, self.day_after, unit)
        except ValueError as error:
            raise Unprocessable.field("from", str(error)) from error
        return days, day_starts(days, self.zone)

    def parameters(self) -> dict[str, Any]:
        return {"from": self.since, "to": self.until, "tz": self.zone.key}


DateOrTime = Annotated[
    str | None, Field(max_length=40, description="a date (2026-03-01) or a time (2026-03-01T08:00:00Z)")
]


class PeriodQuery(BaseModel):
    """Default: the last 30 days, including today."""

    since: Annotated[DateOrTime, Field(alias="from")] = None
    until: Annotated[DateOrTime, Field(alias="to")] = None


async def _get_period(zone: CompanyTimezone, query: Annotated[PeriodQuery, Query()]) -> Period:
    until = _parse("to", query.until, zone) or day_start(_today(zone) + timedelta(days=1), zone)
    default_day = local_date(until, zone) - timedelta(days=DEFAULT_DAYS)
    since = _parse("from", query.since, zone) or day_start(default_day, zone)
    if since >= until:
        raise Unprocessable.field("to", "must be after from")
    return Period(since, until, zone)


ReportPeriod = Annotated[Period, Depends(_get_period)]


async def _get_as_of(zone: CompanyTimezone, as_of: Annotated[DateOrTime, Query()] = None) -> datetime | None:
    """A moment, inclusive, or the end of a day; None: now."""
    if as_of is not None and len(as_of) == _DATE_LENGTH:
        return day_start(_parse_date("as_of", as_of) + timedelta(days=1), zone) - timedelta(microseconds=1)
    return _parse("as_of", as_of, zone)


AsOf = Annotated[datetime | None, Depends(_get_as_of)]


def _today(zone: ZoneInfo) -> date:
    return local_date(datetime.now(UTC), zone)


def _parse(name: str, text: str | None, zone: ZoneInfo) -> datetime | None:
    """A date is the beginning of that day."""
    if text is None:
        return None
    if len(text) == _DATE_LENGTH:
        return day_start(_parse_date(name, text), zone)
    try:
        return _TIME.validate_python(text)
    except ValidationError as error:
        raise Unprocessable.field(name, "is neither a date nor a time with an offset") from error


def _parse_date(name: str, text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise Unprocessable.field(name, "is not a date") from error
    if not MIN_YEAR <= day.year <= MAX_YEAR:
        raise Unprocessable.field(name, f"year must be between {MIN_YEAR} and {MAX_YEAR}")
    return day
