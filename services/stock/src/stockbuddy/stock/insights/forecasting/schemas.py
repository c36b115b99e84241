"""Forecasts on the wire."""

from datetime import date

from pydantic import BaseModel

from stockbuddy.stock.fields import QuantitySum


class Interval(BaseModel):
    """With probability `level` the demand lies between `low` and `high`."""

    level: float
    low: QuantitySum
    high: QuantitySum


class DayForecast(BaseModel):
    date: date
    expected: QuantitySum
    interval: Interval


class DemandHistory(BaseModel):
    """What the forecast rests on: days that have ended, from the first on which the product was known here."""

    since: date
    days: int
    days_with_demand: int
    units: QuantitySum


class ForecastView(BaseModel):
    """`demand_per_day` is that of an average day of the week; `days` tell weekdays apart as far as the whole shop's
    demand does. `total` is that of all `days`."""

    product_id: int
    sku: str
    warehouse_id: int | None
    method: str
    history: DemandHistory
    demand_per_day: QuantitySum
    interval: Interval
    total: QuantitySum
    total_interval: Interval
    days: list[DayForecast]
    timezone: str
