"""Results of forecasts, without numpy; quantities are units of the product."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Range:
    """An expected quantity, and the bounds of its interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Basis:
    """What a forecast is based on. `first_day`: index of the first day of the history that is known; `methods`: how
    many were compared, 0 if the history is too short."""

    method: str
    methods: int
    first_day: int
    days: int
    days_with_demand: int
    days_without_stock: int
    days_with_promotion: int
    units: float


@dataclass(frozen=True, slots=True)
class ProductForecast:
    """`per_day`: the average of the next week."""

    basis: Basis
    per_day: Range
    total: Range
    days: list[Range]


@dataclass(frozen=True, slots=True)
class Period:
    """Days until a delivery, and days that the delivery is to last."""

    lead_time_days: int
    cover_days: int


@dataclass(frozen=True, slots=True)
class Supply:
    """`position`: the stock on hand and incoming, less reserved; `least_reorder_point`: the reorder point is not lower,
    whatever the demand."""

    period: Period
    position: float
    least_reorder_point: float


@dataclass(frozen=True, slots=True)
class DemandEstimate:
    """Demand of a period. `safety_stock`: by how much the demand of the lead time exceeds the expected one at most,
    with the probability of the service level. `deviation_per_day`: standard deviation."""

    basis: Basis
    per_day: float
    deviation_per_day: float
    lead_time_demand: float
    cover_demand: float
    safety_stock: float
