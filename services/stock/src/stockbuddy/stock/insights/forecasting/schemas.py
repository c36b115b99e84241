"""Query and response models of forecasts."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field

from stockbuddy.chassis.fields import Id, Integer
from stockbuddy.stock.fields import QuantitySum
from stockbuddy.stock.insights.reasons import ReasonResponse


class ForecastQuery(BaseModel):
    """`history_days`: the maximum number of past days that the forecast is based on."""

    warehouse_id: Id | None = None
    horizon_days: Annotated[Integer, Field(ge=1, le=90)] = 14
    history_days: Annotated[Integer, Field(ge=7, le=730)] = 730


class Interval(BaseModel):
    """Demand is between `low` and `high` with probability `level`."""

    level: float
    low: QuantitySum
    high: QuantitySum


class DayForecastResponse(BaseModel):
    date: date
    expected: QuantitySum
    interval: Interval


class DemandHistory(BaseModel):
    """The complete days that the forecast is based on, beginning with the product's first movement. Days on which the
    stock was used up, and days with reduced prices, are included and counted separately."""

    since: date
    days: int
    days_with_demand: int
    days_without_stock: int
    days_with_promotion: int
    units: QuantitySum


class ForecastResponse(BaseModel):
    """`demand_per_day`: averaged over the next week. `total`: the sum over `days`. `method`: the most accurate one in a
    back-test of this product."""

    product_id: int
    sku: str
    warehouse_id: int | None
    method: str
    explanation: list[ReasonResponse]
    history: DemandHistory
    demand_per_day: QuantitySum
    interval: Interval
    total: QuantitySum
    total_interval: Interval
    days: list[DayForecastResponse]
    timezone: str
