"""When a request is repeated, and how long that waits."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from stockbuddy_client.problems import StockbuddyError

DEFAULT_TIMEOUT_SECONDS = 30.0
CONNECT_TIMEOUT_SECONDS = 5.0
BASE_DELAY_SECONDS = 0.1
MAX_DELAY_SECONDS = 5.0
RETRIED_STATUSES = frozenset({429, 502, 503, 504})
KEY_HEADER = "Idempotency-Key"


@dataclass(frozen=True, slots=True)
class Retry:
    """A retry that is about to wait `delay_seconds`; `attempt` counts the failed attempts."""

    method: str
    path: str
    attempt: int
    delay_seconds: float
    reason: StockbuddyError


def may_repeat(method: str, headers: Mapping[str, str]) -> bool:
    """A POST without idempotency key may take effect twice."""
    return method != "POST" or KEY_HEADER in headers


def delay_seconds(attempt: int, retry_after: float | None) -> float:
    """Full jitter, but at least what the server demands."""
    jitter = random.uniform(0, min(MAX_DELAY_SECONDS, BASE_DELAY_SECONDS * 2**attempt))
    return max(jitter, retry_after or 0)


def retry_after_seconds(value: str | None) -> float | None:
    """The header `Retry-After`: seconds or a date; None if absent or malformed."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
