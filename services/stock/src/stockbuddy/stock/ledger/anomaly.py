"""Anomaly detection: exponentially weighted mean and variance of log movement size, per level and direction.

Statistics, not accounts: the only floating-point numbers of the ledger, and none of them is ever a quantity.
"""

from __future__ import annotations

from decimal import Decimal
from math import exp, log, sqrt
from typing import NamedTuple

WINDOW = 200
"""Number of recent movements that dominate the weighted mean and variance."""
MIN_SAMPLES = 20
SIGMAS = 4.0
MIN_RATIO = 5.0
"""Minimum ratio to the typical size, whatever the variance."""
_MIN_DISTANCE = log(MIN_RATIO)


class MovementBaseline(NamedTuple):
    """The number of movements, and mean and variance of the natural logarithms of their sizes."""

    samples: int = 0
    mean: float = 0.0
    variance: float = 0.0

    def observe(self, quantity: Decimal) -> MovementBaseline:
        weight = 1 / min(self.samples + 1, WINDOW)
        distance = log(abs(quantity)) - self.mean
        return MovementBaseline(
            samples=self.samples + 1,
            mean=self.mean + weight * distance,
            variance=(1 - weight) * (self.variance + weight * distance * distance),
        )

    @property
    def typical_quantity(self) -> float:
        return exp(self.mean)

    def ratio_if_unusual(self, quantity: Decimal) -> float | None:
        """The ratio of `quantity` to the typical one if it is unusually large, else None."""
        if self.samples < MIN_SAMPLES:
            return None
        distance = log(abs(quantity)) - self.mean
        return exp(distance) if distance > max(SIGMAS * sqrt(self.variance), _MIN_DISTANCE) else None
