"""When a replica is left alone: after it could not be reached, for a pause that grows while it stays away."""

import random

FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 1.0
TRIAL_SECONDS = 2.0
"""Longer than it takes to find out that nobody can be reached. A trial that is not over by then tells nothing: its
service may be frozen, or at work on something large, or its client may have left."""
TOLERATED_FAILURES = 5
"""So many requests in a row may break or time out; a refused connection counts as being away at once."""


class Circuit:
    """Times are the caller's monotonic clock, in seconds."""

    def __init__(self) -> None:
        self._failures = 0
        self._pauses = 0
        self._open_until = 0.0
        self.is_refused = False
        """Nobody listened there last time: to find out whether that is still so takes no time."""

    def lets_through(self, now: float) -> bool:
        return now >= self._open_until

    def seconds_left(self, now: float) -> float:
        return max(0.0, self._open_until - now)

    def begin_trial(self, now: float) -> None:
        """After a pause one request goes first; the others keep away until it is known how that went, within reason."""
        if self._pauses:
            self._open_until = now + TRIAL_SECONDS

    def succeeded(self) -> None:
        self._failures = self._pauses = 0
        self._open_until = 0.0
        self.is_refused = False

    def failed(self, now: float, *, unreachable: bool, refused: bool = False) -> bool:
        """True when it has just become known that the replica is away."""
        self._failures += 1
        self.is_refused = refused
        if not (unreachable or self._pauses or self._failures >= TOLERATED_FAILURES):
            return False
        pause = min(FIRST_PAUSE_SECONDS * 2**self._pauses, LONGEST_PAUSE_SECONDS)
        self._open_until = now + pause * random.uniform(0.8, 1.2)
        self._pauses = min(self._pauses + 1, 10)
        return self._pauses == 1
