"""When a signing key signs and until when it is published: pure rules over the keys' times.

A key is published before it signs, and until the last token that it signed has expired.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Protocol, TypeVar

CLOCK_MARGIN = timedelta(seconds=60)
"""Upper bound of the difference between the clocks of replicas."""


class Scheduled(Protocol):
    @property
    def kid(self) -> str: ...

    @property
    def signs_from(self) -> datetime: ...


Key = TypeVar("Key", bound=Scheduled)


def signing_key_at(keys: Sequence[Key], now: datetime) -> Key | None:
    """The newest active key. `keys` are in order of `signs_from`, here and below."""
    return next((key for key in reversed(keys) if key.signs_from <= now), None)


def expired_keys(keys: Sequence[Key], now: datetime, token_lifetime: timedelta) -> list[Key]:
    """Keys whose last token has expired: their successor has signed for longer than a token lives."""
    return [key for key, successor in pairwise(keys) if successor.signs_from + token_lifetime + CLOCK_MARGIN < now]


def is_rotation_due(keys: Sequence[Key], now: datetime, max_age: timedelta) -> bool:
    """True if the newest key has signed for `max_age`; false while it is not active yet."""
    return bool(keys) and keys[-1].signs_from + max_age <= now
