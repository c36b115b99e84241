"""The time of the installation: that of the database server, which all replicas of a service share.

A process compares its monotonic clock with the server's time every few seconds. A step of the clock of its own machine
therefore changes nothing: neither do tokens expire, nor are events dated in the future (docs/adr/0046). Companies may
have database servers of their own, so each has its own clock: the server of one moves no token of another.
"""

import time
from collections import defaultdict
from datetime import UTC, datetime

from stockbuddy.chassis.runtime.companies import current_company

SYNCHRONISATION_INTERVAL_SECONDS = 10.0


class Clock:
    """Until the first comparison, the clock of the machine."""

    def __init__(self) -> None:
        self._offset: float | None = None
        """Seconds since the epoch, minus the monotonic clock."""

    def time(self) -> float:
        """Seconds since the epoch."""
        return time.time() if self._offset is None else time.monotonic() + self._offset  # noqa: TID251

    def synchronise(self, server_time: float, *, sent_at: float, received_at: float) -> None:
        """`server_time`: seconds since the epoch, read by the server between `sent_at` and `received_at` of this
        process's monotonic clock. Changes the clock only by as much as the round trip does not explain."""
        lowest, highest = server_time - received_at, server_time - sent_at
        if self._offset is None:
            self._offset = (lowest + highest) / 2
        else:
            self._offset = min(max(self._offset, lowest), highest)


_clocks: defaultdict[str, Clock] = defaultdict(Clock)
"""By company; the one of an installation of one company has the name ""."""


def company_clock() -> Clock:
    """The clock of the company that this task works for, in this process."""
    return _clocks[current_company()]


def timestamp() -> float:
    """Seconds since the epoch."""
    return company_clock().time()


def now() -> datetime:
    """In UTC."""
    return datetime.fromtimestamp(timestamp(), UTC)
