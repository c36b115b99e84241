"""Events of the ledger: movements and the levels that they change."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, ClassVar

from stockbuddy.contracts.event import Event
from stockbuddy.contracts.field_permissions import COST
from stockbuddy.contracts.numbers import Money, Quantity, Value


class MovementPosted(Event):
    """A movement in the format of the API, with the balance before it. `document`: the document that caused it, such as
    `sale/17`. `value`: the exact signed change of the level's value, of which `correction` is not of the goods moved
    but of stock whose cost has become known; `average_cost`: the level's average unit cost after it."""

    type: ClassVar[str] = "stock.movement.posted"
    subject_template: ClassVar[str] = "product/{product_id}"
    sequence_field: ClassVar[str | None] = "id"

    id: int
    product_id: int
    sku: str
    warehouse_id: int
    lot: int = 0
    movement_type: str
    quantity: Quantity
    before: Quantity
    balance: Quantity
    unit_cost: Annotated[Money | None, COST] = None
    value: Annotated[Value, COST] = Decimal(0)
    correction: Annotated[Value, COST] = Decimal(0)
    average_cost: Annotated[Money | None, COST] = None
    reference_number: str | None = None
    notes: str | None = None
    document: str | None = None
    performed_by: int | None = None
    went_negative: bool = False
    reverses_id: int | None = None
    occurred_at: datetime
    recorded_at: datetime


class LevelState(Event):
    """A level after a change. `version` increases by one per level (product, warehouse and lot); `delta`: the change of
    `on_hand`; `value`: of what is on hand; `reason`: the movement type or the document that changed it."""

    subject_template: ClassVar[str] = "product/{product_id}"
    sequence_field: ClassVar[str | None] = "version"

    product_id: int
    sku: str
    warehouse_id: int
    lot: int = 0
    version: int
    before: Quantity
    delta: Quantity
    on_hand: Quantity
    reserved: Quantity
    value: Annotated[Value, COST] = Decimal(0)
    average_cost: Annotated[Money | None, COST] = None
    reason: str
    changed_at: datetime


class LevelChanged(LevelState):
    type: ClassVar[str] = "stock.level.changed"


class LevelCrossing(LevelState):
    """A level whose `on_hand` crossed a threshold; published once per crossing, not for further changes on the same
    side. `threshold`: the product's `low_stock_threshold`, or the settings' default."""

    threshold: Quantity


class LevelLow(LevelCrossing):
    """`on_hand` fell to the threshold or below."""

    type: ClassVar[str] = "stock.level.low"


class LevelDepleted(LevelCrossing):
    """`on_hand` fell to zero or below; `stock.level.low` is published at the same time or earlier."""

    type: ClassVar[str] = "stock.level.depleted"


class LevelRecovered(LevelCrossing):
    """`on_hand` rose above the threshold again."""

    type: ClassVar[str] = "stock.level.recovered"


class ActivityUnusual(Event):
    """A movement far larger than usual for its level. `typical_quantity`: the typical size of such movements;
    `ratio`: the size of this one divided by it."""

    type: ClassVar[str] = "stock.activity.unusual"
    subject_template: ClassVar[str] = "product/{product_id}"

    movement_id: int
    product_id: int
    sku: str
    warehouse_id: int
    lot: int = 0
    movement_type: str
    quantity: Quantity
    typical_quantity: Quantity
    ratio: float
    performed_by: int | None = None
    document: str | None = None
    recorded_at: datetime
