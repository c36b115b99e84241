"""When a delivery is tried again: after pauses that grow, later if the receiver asks for it, and not for ever."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

JITTER = 0.15
"""Pauses vary by this share of themselves, so that what failed together does not come back together."""

LONGEST_WISH_SECONDS = 86_400
"""As much patience as a receiver may ask for."""


def pause_after(tries: int, schedule: Sequence[float], asked_seconds: float | None) -> float | None:
    """Seconds until the next try after `tries` of them have failed; None when that was the last."""
    if tries > len(schedule):
        return None
    pause = schedule[tries - 1] * random.uniform(1 - JITTER, 1 + JITTER)
    return max(pause, min(asked_seconds or 0, LONGEST_WISH_SECONDS))


def seconds_of_retry_after(header: str | None) -> float | None:
    """`Retry-After` in either of its forms (RFC 9110 §10.2.3); None when it is absent or makes no sense."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
