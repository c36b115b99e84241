"""Response models of the dashboard."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict

from stockbuddy.contracts.field_permissions import COST
from stockbuddy.stock.fields import MoneySum, QuantitySum
from stockbuddy.stock.inventory.movements.schemas import MovementResponse


class SalesTotals(BaseModel):
    """`count`: sales made; `revenue`: their totals less the refunds and voids of the same time."""

    count: int
    revenue: MoneySum


class DailySalesTotals(SalesTotals):
    date: date


class TopProduct(BaseModel):
    """A product with the most revenue of the last 30 days; quantity and revenue exclude returns."""

    model_config = ConfigDict(from_attributes=True)

    product_id: int
    sku: str
    name: str
    quantity: QuantitySum
    revenue: MoneySum


class InventoryTotals(BaseModel):
    """`inventory_value`: of what is on hand, without goods in transit. `low_stock_count`: products at or below their
    threshold, including those out of stock."""

    model_config = ConfigDict(from_attributes=True)

    total_products: int
    total_units: QuantitySum
    inventory_value: Annotated[MoneySum, COST]
    units_in_transit: QuantitySum
    value_in_transit: Annotated[MoneySum, COST]
    low_stock_count: int
    out_of_stock_count: int


class DashboardResponse(InventoryTotals):
    """`timezone`: IANA name of the time zone in which days begin and end."""

    sales_today: SalesTotals
    sales_by_day: list[DailySalesTotals]
    top_products: list[TopProduct]
    recent_movements: list[MovementResponse]
    pending_transfers: int
    open_purchase_orders: int
    currency: str | None
    timezone: str
