"""The dashboard on the wire."""

from datetime import date

from pydantic import BaseModel, ConfigDict

from stockbuddy.stock.fields import MoneySum, QuantitySum
from stockbuddy.stock.inventory.movements.schemas import MovementResponse


class Takings(BaseModel):
    """`count` sales were made; `revenue` is what they came to, less what went back to customers meanwhile."""

    count: int
    revenue: MoneySum


class DayTakings(Takings):
    date: date


class TopProduct(BaseModel):
    """What sold best in the last 30 days, by revenue; returns are taken off both figures."""

    model_config = ConfigDict(from_attributes=True)

    product_id: int
    sku: str
    name: str
    quantity: QuantitySum
    revenue: MoneySum


class Stocks(BaseModel):
    """`low_stock_count` counts products at or below their threshold, those that are out of stock among them."""

    model_config = ConfigDict(from_attributes=True)

    total_products: int
    total_units: QuantitySum
    inventory_value: MoneySum
    low_stock_count: int
    out_of_stock_count: int


class DashboardView(Stocks):
    """`timezone` says where the days begin and end."""

    sales_today: Takings
    sales_by_day: list[DayTakings]
    top_products: list[TopProduct]
    recent_movements: list[MovementResponse]
    pending_transfers: int
    open_purchase_orders: int
    currency: str | None
    timezone: str
