"""Reordering on the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from stockbuddy.contracts.numbers import Quantity
from stockbuddy.stock.documents.purchase_orders.schemas import PurchaseView
from stockbuddy.stock.fields import (
    NUMBER,
    Body,
    Id,
    Moment,
    MoneySum,
    Note,
    PositiveQuantity,
    Price,
    QuantityNotNegative,
    QuantitySum,
    Reference,
)
from stockbuddy.stock.inventory.references import HasProductReference, HasWarehouseReference

LONGEST_SELECTION = 500

Days = Annotated[int, Field(ge=0, le=3650), NUMBER]


class _Figures(Body):
    supplier_id: Id | None = None
    reorder_point: QuantityNotNegative | None = None
    safety_stock: QuantityNotNegative | None = None
    lead_time_days: Days | None = None
    cover_days: Days | None = None
    minimum_quantity: PositiveQuantity | None = None
    pack_size: PositiveQuantity | None = None


class ReorderRuleCreate(HasProductReference, HasWarehouseReference, _Figures):
    """What is left out is left to the demand, the supplier or the default. A rule that is not active keeps the product
    from being suggested there."""

    is_active: StrictBool = True


class ReorderRuleUpdate(_Figures):
    """What is left out stays as it is; null leaves the figure to the demand again."""

    is_active: StrictBool | None = None


class ReorderRuleResponse(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    product_id: int
    warehouse_id: int
    supplier_id: int | None
    reorder_point: Quantity | None
    safety_stock: Quantity | None
    lead_time_days: int | None
    cover_days: int | None
    minimum_quantity: Quantity | None
    pack_size: Quantity | None
    is_active: bool
    version: int
    created_at: datetime
    updated_at: datetime


class SuggestionInputs(BaseModel):
    """What the suggestion follows from. Demand is that of the `history_days` that have ended, fewer if the product is
    newer here; `service_level` is the share of reorder cycles that the safety stock lets pass without a shortage."""

    demand_units: QuantitySum
    history_days: int
    demand_per_day: QuantitySum
    deviation_per_day: QuantitySum
    lead_time_days: int
    cover_days: int
    service_level: float
    safety_stock: QuantitySum
    low_stock_threshold: Quantity
    on_hand: QuantitySum
    reserved: QuantitySum
    incoming: QuantitySum
    position: QuantitySum
    reorder_point: QuantitySum
    order_up_to: QuantitySum
    minimum_quantity: Quantity | None
    pack_size: Quantity | None
    rule_id: int | None


class SuggestionView(BaseModel):
    """`quantity` to order now. `days_left` is for how long the position lasts at the present demand, null without any;
    `unit_cost` the cost price, or else the average cost."""

    product_id: int
    sku: str
    name: str
    warehouse_id: int
    warehouse_code: str
    supplier_id: int | None
    supplier: str | None
    quantity: QuantitySum
    unit_cost: MoneySum | None
    days_left: QuantitySum | None
    inputs: SuggestionInputs


class OrderedSuggestion(HasProductReference, HasWarehouseReference):
    """What is left out is as suggested now."""

    quantity: PositiveQuantity | None = None
    unit_cost: Price | None = None
    supplier_id: Id | None = None


class SuggestionOrder(Body):
    """Becomes one draft per supplier and warehouse."""

    lines: Annotated[list[OrderedSuggestion], Field(min_length=1, max_length=LONGEST_SELECTION)]
    expected_at: Moment | None = None
    reference: Reference | None = None
    notes: Note | None = None


class SuggestionsOrdered(BaseModel):
    purchase_orders: list[PurchaseView]
