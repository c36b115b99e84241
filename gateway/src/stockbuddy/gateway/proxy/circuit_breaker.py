"""Circuit breaker of a replica, with exponential backoff."""

import random

MIN_OPEN_SECONDS = 0.25
MAX_OPEN_SECONDS = 1.0
HALF_OPEN_TIMEOUT_SECONDS = 2.0
"""Longer than the connect timeout. A trial that still runs afterwards is inconclusive: the service may be frozen
or busy with a large request, or the client may have disconnected."""
MAX_FAILURES = 5
"""Broken or timed-out requests in a row that open the circuit. A failure to connect opens it at once."""


class CircuitBreaker:
    """Closed, open, or half-open. `now` is the monotonic clock, in seconds."""

    def __init__(self) -> None:
        self._failures = 0
        self._open_count = 0
        self._open_until = 0.0
        self.is_refused = False
        """The last connection was refused: another attempt costs no waiting."""

    def allows(self, now: float) -> bool:
        return now >= self._open_until

    def seconds_left(self, now: float) -> float:
        return max(0.0, self._open_until - now)

    def begin_half_open(self, now: float) -> None:
        """Let one request through; keep rejecting others until it finishes or times out."""
        if self._open_count:
            self._open_until = now + HALF_OPEN_TIMEOUT_SECONDS

    def record_success(self) -> None:
        self._failures = self._open_count = 0
        self._open_until = 0.0
        self.is_refused = False

    def record_failure(self, now: float, *, unreachable: bool, refused: bool = False) -> bool:
        """True if this failure opened a closed circuit."""
        self._failures += 1
        self.is_refused = refused
        if not (unreachable or self._open_count or self._failures >= MAX_FAILURES):
            return False
        open_seconds = min(MIN_OPEN_SECONDS * 2**self._open_count, MAX_OPEN_SECONDS)
        self._open_until = now + open_seconds * random.uniform(0.8, 1.2)
        self._open_count = min(self._open_count + 1, 10)
        return self._open_count == 1
