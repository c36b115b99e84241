"""The period and the moment that a report is about, from query parameters with dates or times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from stockbuddy.chassis.calendar_days import start_of
from stockbuddy.chassis.fields import DayOrTime
from stockbuddy.chassis.http.errors import Unprocessable
from stockbuddy.chassis.runtime import clock
from stockbuddy.stock.calendar_days import PeriodUnit, day_starts, last_moment_of, local_date, period_starts
from stockbuddy.stock.insights.company_timezone import CompanyTimezone

DEFAULT_DAYS = 30


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


class PeriodQuery(BaseModel):
    """Default: the last 30 days, including today."""

    since: Annotated[DayOrTime | None, Field(alias="from")] = None
    until: Annotated[DayOrTime | None, Field(alias="to")] = None


async def _get_period(zone: CompanyTimezone, query: Annotated[PeriodQuery, Query()]) -> Period:
    until = start_of(query.until or _today(zone) + timedelta(days=1), zone)
    since = start_of(query.since or local_date(until, zone) - timedelta(days=DEFAULT_DAYS), zone)
    if since >= until:
        raise Unprocessable.field("to", "must be after from", "not_after_start")
    return Period(since, until, zone)


ReportPeriod = Annotated[Period, Depends(_get_period)]


async def _get_as_of(zone: CompanyTimezone, as_of: Annotated[DayOrTime | None, Query()] = None) -> datetime | None:
    """A moment, inclusive, or the end of a day; None: now."""
    return None if as_of is None else last_moment_of(as_of, zone)


AsOf = Annotated[datetime | None, Depends(_get_as_of)]


def _today(zone: ZoneInfo) -> date:
    return local_date(clock.now(), zone)
