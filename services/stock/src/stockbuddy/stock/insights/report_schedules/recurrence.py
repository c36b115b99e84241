"""When a schedule runs: a rule in local time, and the moments that it means in a time zone.

A local time that the zone skips in spring means the same moment counted from before the change (02:30 is 03:30 then);
one that occurs twice in autumn means the first. Each day of the rule therefore has exactly one moment.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, rrule
from pydantic import Field, StringConstraints, model_validator

from stockbuddy.chassis.fields import Integer, InvalidValue, RequestBody

Frequency = Literal["daily", "weekly", "monthly"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAYS_OF_EVERY_MONTH = 28

LocalTime = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class Recurrence(RequestBody):
    """Daily, weekly on `weekdays`, or monthly on `day_of_month`, or on the last day of a month without that day."""

    frequency: Frequency
    time: LocalTime
    weekdays: Annotated[list[Weekday], Field(max_length=len(WEEKDAYS))] = []
    day_of_month: Annotated[Integer, Field(ge=1, le=31)] | None = None

    @model_validator(mode="after")
    def require_days_of_frequency(self) -> "Recurrence":
        if (self.frequency == "weekly") != bool(self.weekdays):
            raise InvalidValue("weekdays_mismatch", "weekdays belong to the frequency weekly, which needs them")
        if (self.frequency == "monthly") != (self.day_of_month is not None):
            raise InvalidValue("day_of_month_mismatch", "day_of_month belongs to the frequency monthly, which needs it")
        return self

    def next_after(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The first moment of the rule that is later than `moment`, in UTC."""
        first_day = moment.astimezone(zone).date() - timedelta(days=1)
        occurrences = (_moment_of(local, zone) for local in self._rule(first_day))
        return next(occurrence for occurrence in occurrences if occurrence > moment)

    def _rule(self, first_day: date) -> rrule:
        """The local times of the rule from this day on."""
        start = datetime.combine(first_day, time.fromisoformat(self.time))
        if self.frequency == "weekly":
            return rrule(WEEKLY, dtstart=start, byweekday=[WEEKDAYS.index(day) for day in self.weekdays])
        if self.day_of_month is None:
            return rrule(DAILY, dtstart=start)
        days = range(min(self.day_of_month, DAYS_OF_EVERY_MONTH), self.day_of_month + 1)
        return rrule(MONTHLY, dtstart=start, bymonthday=list(days), bysetpos=-1)


def _moment_of(local: datetime, zone: ZoneInfo) -> datetime:
    """`fold` is 0: the offset before a change of the clock."""
    return local.replace(tzinfo=zone).astimezone(UTC)
