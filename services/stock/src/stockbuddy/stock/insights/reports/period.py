"""The stretch of time that a report is about: days or moments as they are asked for, half-open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Depends, Query
from pydantic import TypeAdapter, ValidationError

from stockbuddy.chassis.fields import UtcTime
from stockbuddy.chassis.http.errors import Unprocessable
from stockbuddy.stock.calendar_days import Span, day_of, periods, start_of, starts_of
from stockbuddy.stock.replicas.system_settings.zone import PlaceZone

DEFAULT_DAYS = 30
_MOMENT: TypeAdapter[datetime] = TypeAdapter(UtcTime)
_BARE_DATE_LENGTH = 10


@dataclass(frozen=True, slots=True)
class Period:
    """`[since, until)`, whose days begin when they do in `zone`."""

    since: datetime
    until: datetime
    zone: ZoneInfo

    @property
    def first_day(self) -> date:
        return day_of(self.since, self.zone)

    @property
    def day_after(self) -> date:
        """The day after the last one that the period touches."""
        return day_of(self.until - timedelta(microseconds=1), self.zone) + timedelta(days=1)

    @property
    def days(self) -> int:
        return max((self.day_after - self.first_day).days, 1)

    def split(self, span: Span) -> tuple[list[date], list[datetime]]:
        """The first day of each part, and where it begins. Raises Unprocessable for too many parts."""
        try:
            days = periods(self.first_day, self.day_after, span)
        except ValueError as error:
            raise Unprocessable.field("from", str(error)) from error
        return days, starts_of(days, self.zone)

    def parameters(self) -> dict[str, Any]:
        return {"from": self.since, "to": self.until, "tz": self.zone.key}


Bound = Annotated[str | None, Query(max_length=40, description="a day (2026-03-01) or a moment (2026-03-01T08:00:00Z)")]


async def _period(
    zone: PlaceZone,
    since: Annotated[Bound, Query(alias="from")] = None,
    until: Annotated[Bound, Query(alias="to")] = None,
) -> Period:
    """Without bounds: the last 30 days, today included."""
    end = _moment("to", until, zone) or start_of(_today(zone) + timedelta(days=1), zone)
    start = _moment("from", since, zone) or start_of(day_of(end, zone) - timedelta(days=DEFAULT_DAYS), zone)
    if start >= end:
        raise Unprocessable.field("to", "must be after from")
    return Period(start, end, zone)


AskedPeriod = Annotated[Period, Depends(_period)]


async def _as_of(zone: PlaceZone, as_of: Bound = None) -> datetime | None:
    """A moment, itself included, or the end of a day; None is now."""
    if as_of is None:
        return None
    if len(as_of) == _BARE_DATE_LENGTH:
        return start_of(_day("as_of", as_of) + timedelta(days=1), zone) - timedelta(microseconds=1)
    return _moment("as_of", as_of, zone)


AsOf = Annotated[datetime | None, Depends(_as_of)]


def _today(zone: ZoneInfo) -> date:
    return day_of(datetime.now(UTC), zone)


def _moment(name: str, text: str | None, zone: ZoneInfo) -> datetime | None:
    if text is None:
        return None
    if len(text) == _BARE_DATE_LENGTH:
        return start_of(_day(name, text), zone)
    try:
        return _MOMENT.validate_python(text)
    except ValidationError as error:
        raise Unprocessable.field(name, "is neither a day nor a moment with an offset") from error


def _day(name: str, text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise Unprocessable.field(name, "is not a day") from error
    if not 1970 <= day.year <= 9000:
        raise Unprocessable.field(name, "is not a day of this epoch")
    return day
