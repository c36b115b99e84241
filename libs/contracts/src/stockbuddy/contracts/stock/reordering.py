"""Events of reorder rules."""

from datetime import datetime
from typing import ClassVar

from stockbuddy.contracts.event import Event
from stockbuddy.contracts.numbers import Quantity


class ReorderRuleState(Event):
    """The reorder parameters of a product in a warehouse; null: computed from the forecast, or the default."""

    subject_template: ClassVar[str] = "reorder_rule/{id}"
    sequence_field: ClassVar[str | None] = "version"

    id: int
    version: int
    product_id: int
    warehouse_id: int
    supplier_id: int | None = None
    reorder_point: Quantity | None = None
    safety_stock: Quantity | None = None
    lead_time_days: int | None = None
    cover_days: int | None = None
    minimum_quantity: Quantity | None = None
    pack_size: Quantity | None = None
    is_active: bool
    created_at: datetime
    updated_at: datetime


class ReorderRuleCreated(ReorderRuleState):
    type: ClassVar[str] = "stock.reorder_rule.created"


class ReorderRuleUpdated(ReorderRuleState):
    type: ClassVar[str] = "stock.reorder_rule.updated"


class ReorderRuleDeleted(ReorderRuleState):
    type: ClassVar[str] = "stock.reorder_rule.deleted"
