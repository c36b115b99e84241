"""Limits how often equal events are published, so that a client cannot make the audit log grow without limit."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

INTERVAL_SECONDS = 60.0
MAX_KEYS = 10_000


@dataclass(slots=True)
class _Published:
    """An event that was published, and how often it has been repeated since."""

    at: float
    repetitions: int = 0


class RepetitionCounter:
    """Lets one event in each minute through for each key, and counts the others. Keeps the MAX_KEYS latest keys."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._published: OrderedDict[Hashable, _Published] = OrderedDict()

    def count(self, key: Hashable) -> int | None:
        """How often the event was repeated since it was last published; None if that was less than a minute ago, so
        that this one is not to be published."""
        last, now = self._published.get(key), self._clock()
        if last is not None and now - last.at < INTERVAL_SECONDS:
            last.repetitions += 1
            return None
        self._published[key] = _Published(now)
        self._published.move_to_end(key)
        if len(self._published) > MAX_KEYS:
            self._published.popitem(last=False)
        return last.repetitions if last is not None else 0
