"""Query and response models of forecasts."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field

from stockbuddy.chassis.fields import Id, Integer
from stockbuddy.stock.fields import QuantitySum


class ForecastQuery(BaseModel):
    """`history_days`: the maximum number of past days that the forecast is based on."""

    warehouse_id: Id | None = None
    horizon_days: Annotated[Integer, Field(ge=1, le=90)] = 14
    history_days: Annotated[Integer, Field(ge=7, le=730)] = 180


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
    """The complete days that the forecast is based on, beginning with the product's first movement."""

    since: date
    days: int
    days_with_demand: int
    units: QuantitySum


class ForecastResponse(BaseModel):
    """`demand_per_day`: averaged over the days of the week. `days`: adjusted by the weekday factors of all products
    together. `total`: the sum over `days`."""

    product_id: int
    sku: str
    warehouse_id: int | None
    method: str
    history: DemandHistory
    demand_per_day: QuantitySum
    interval: Interval
    total: QuantitySum
    total_interval: Interval
    days: list[DayForecastResponse]
    timezone: str
