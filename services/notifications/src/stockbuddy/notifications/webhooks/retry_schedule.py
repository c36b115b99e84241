"""When a failed delivery is retried: after delays from the schedule, or later if the receiver requests it."""

import random
from collections.abc import Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime

from stockbuddy.chassis.runtime import clock

JITTER = 0.15
"""Delays vary by this share, so that deliveries that failed together are not retried together."""

MAX_RETRY_AFTER_SECONDS = 86_400
"""Upper bound for the receiver's Retry-After."""
MAX_USABLE_RETRY_AFTER_SECONDS = 366 * 86_400
"""A later time is a mistake and ignored."""


def backoff_seconds(attempt: int, schedule: Sequence[float], retry_after_seconds: float | None) -> float | None:
    """The delay after the failure of the `attempt`-th attempt; None if it was the last one."""
    if attempt > len(schedule):
        return None
    delay_seconds = schedule[attempt - 1] * random.uniform(1 - JITTER, 1 + JITTER)
    return max(delay_seconds, min(retry_after_seconds or 0, MAX_RETRY_AFTER_SECONDS))


def parse_retry_after(header: str | None) -> float | None:
    """Seconds from `Retry-After` in either form (RFC 9110 §10.2.3); None if it is absent, unusable or absurdly late."""
    seconds = None if header is None else _parse_seconds(header.strip())
    return seconds if seconds is not None and seconds <= MAX_USABLE_RETRY_AFTER_SECONDS else None


def _parse_seconds(header: str) -> float | None:
    if header.isascii() and header.isdecimal():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
        return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - clock.now()).total_seconds())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None  # a year beyond Python's range is any of these
