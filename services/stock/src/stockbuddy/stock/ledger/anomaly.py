"""What is usual for a level: the size of its movements in each direction, on a logarithmic scale, the recent ones
counting most. A movement far above that is worth a second look.

This is statistics, not accounts: the only place with floating-point numbers, and none of them is ever a quantity.
"""

from __future__ import annotations

from decimal import Decimal
from math import exp, log, sqrt
from typing import NamedTuple

MEMORY = 200
"""About so many of the latest movements make the habit."""
ENOUGH = 20
"""With fewer there is no habit to speak of."""
DEVIATIONS = 4.0
LEAST_TIMES = 5.0
"""However regular a product is, what is less than so many times its usual size is not unusual."""


class Habit(NamedTuple):
    """How many movements there were, and the mean and the variance of their sizes' logarithms."""

    seen: int = 0
    mean: float = 0.0
    spread: float = 0.0

    def after(self, quantity: Decimal) -> Habit:
        weight = 1 / min(self.seen + 1, MEMORY)
        distance = log(abs(quantity)) - self.mean
        return Habit(
            self.seen + 1, self.mean + weight * distance, (1 - weight) * (self.spread + weight * distance * distance)
        )

    @property
    def usual(self) -> float:
        """The typical size."""
        return exp(self.mean)

    def times_above(self, quantity: Decimal) -> float | None:
        """How many times the usual size this is, if that is unusual."""
        if self.seen < ENOUGH:
            return None
        distance = log(abs(quantity)) - self.mean
        return exp(distance) if distance > max(DEVIATIONS * sqrt(self.spread), log(LEAST_TIMES)) else None
