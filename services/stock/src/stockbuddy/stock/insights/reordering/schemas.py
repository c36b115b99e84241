"""Request, query and response models of reordering."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from stockbuddy.chassis.fields import Id, Integer, Omittable, RequestBody, UtcTime
from stockbuddy.chassis.http.pagination import PageQuery
from stockbuddy.contracts.field_permissions import COST
from stockbuddy.contracts.numbers import Quantity
from stockbuddy.stock.documents.purchase_orders.schemas import PurchaseOrderResponse
from stockbuddy.stock.fields import (
    MoneySum,
    Note,
    PositiveQuantity,
    Price,
    QuantityNotNegative,
    QuantitySum,
    Reference,
)
from stockbuddy.stock.insights.reasons import ReasonResponse
from stockbuddy.stock.inventory.references import HasProductReference, HasWarehouseReference

MAX_ORDER_LINES = 500

Days = Annotated[Integer, Field(ge=0, le=3650)]


class _Parameters(RequestBody):
    supplier_id: Omittable[Id | None]
    reorder_point: Omittable[QuantityNotNegative | None]
    safety_stock: Omittable[QuantityNotNegative | None]
    lead_time_days: Omittable[Days | None]
    cover_days: Omittable[Days | None]
    minimum_quantity: Omittable[PositiveQuantity | None]
    pack_size: Omittable[PositiveQuantity | None]


class ReorderRuleCreate(HasProductReference, HasWarehouseReference, _Parameters):
    """Omitted parameters are computed from demand, supplier or defaults. While a rule is inactive, the product is not
    suggested in the warehouse."""

    is_active: StrictBool = True


class ReorderRuleUpdate(_Parameters):
    """Omitted fields keep their value; a parameter that is null is computed again."""

    is_active: Omittable[StrictBool]


class ReorderFilter(PageQuery):
    """Selects reorder rules or suggestions."""

    product_id: Id | None = None
    warehouse_id: Id | None = None
    supplier_id: Id | None = None


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
    """The figures that the suggestion is computed from. Demand is that of `history_days` complete days, fewer for a
    newer product; expected demand is forecast by `method`. `demand_per_day`: of the next week; `deviation_per_day`: its
    standard deviation; `service_level`: the share of reorder cycles without a shortage."""

    method: str
    demand_units: QuantitySum
    history_days: int
    days_without_stock: int
    days_with_promotion: int
    demand_per_day: QuantitySum
    deviation_per_day: QuantitySum
    lead_time_days: int
    lead_time_demand: QuantitySum
    cover_days: int
    cover_demand: QuantitySum
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


class SuggestionResponse(BaseModel):
    """`quantity`: to order now; `days_left`: until the inventory position is used up at the current demand (null if
    there is none); `unit_cost`: the cost price, or else the average cost."""

    product_id: int
    sku: str
    name: str
    warehouse_id: int
    warehouse_code: str
    supplier_id: int | None
    supplier: str | None
    quantity: QuantitySum
    unit_cost: Annotated[MoneySum | None, COST]
    days_left: QuantitySum | None
    explanation: list[ReasonResponse]
    inputs: SuggestionInputs


class OrderSuggestionsLine(HasProductReference, HasWarehouseReference):
    """Omitted fields are those of the current suggestion."""

    quantity: PositiveQuantity | None = None
    unit_cost: Price | None = None
    supplier_id: Id | None = None


class OrderSuggestions(RequestBody):
    """Creates one draft purchase order per supplier and warehouse."""

    lines: Annotated[list[OrderSuggestionsLine], Field(min_length=1, max_length=MAX_ORDER_LINES)]
    expected_at: UtcTime | None = None
    reference: Reference | None = None
    notes: Note | None = None


class OrderSuggestionsResponse(BaseModel):
    purchase_orders: list[PurchaseOrderResponse]
