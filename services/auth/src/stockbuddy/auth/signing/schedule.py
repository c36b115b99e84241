"""When a key signs, and how long it is published: pure rules over the times of the keys.

A key is published before it signs, and stays published while a token that it signed may live.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Protocol, TypeVar

CLOCK_MARGIN = timedelta(seconds=60)
"""What the clocks of replicas may differ by, with room to spare."""


class Scheduled(Protocol):
    @property
    def kid(self) -> str: ...

    @property
    def signs_from(self) -> datetime: ...


Key = TypeVar("Key", bound=Scheduled)


def signing_key_at(keys: Sequence[Key], now: datetime) -> Key | None:
    """The newest key whose time has come. `keys` are in order of `signs_from`."""
    return next((key for key in reversed(keys) if key.signs_from <= now), None)


def outlived_keys(keys: Sequence[Key], now: datetime, token_lifetime: timedelta) -> list[Key]:
    """Those whose last token has expired: a later key has signed for longer than a token lives."""
    return [key for key, successor in pairwise(keys) if successor.signs_from + token_lifetime + CLOCK_MARGIN < now]


def is_rotation_due(keys: Sequence[Key], now: datetime, age: timedelta) -> bool:
    """True when the newest key has signed for long enough; false while one waits for its time."""
    return bool(keys) and keys[-1].signs_from + age <= now
