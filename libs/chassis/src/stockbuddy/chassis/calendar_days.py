"""Days in filters: a day begins at midnight in the company's time zone.

The moments are computed here and passed to PostgreSQL as timestamps, so that only Python's time zone database is used.
"""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """Midnight in `zone`, or the first moment after it if daylight saving time skips midnight; in UTC."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def start_of(end: date | datetime, zone: ZoneInfo) -> datetime:
    """A moment as it is; of a day, its beginning."""
    return end if isinstance(end, datetime) else day_start(end, zone)


def needs_zone(*ends: date | datetime | None) -> bool:
    """Whether one of the ends of an interval is a day."""
    return any(end is not None and not isinstance(end, datetime) for end in ends)
