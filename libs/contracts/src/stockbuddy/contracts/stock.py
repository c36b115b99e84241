"""Events of the stock: every change of a level and every document that caused one."""

from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from stockbuddy.contracts import documents, purchasing  # noqa: F401 - the rest of what the stock says
from stockbuddy.contracts.event import Event
from stockbuddy.contracts.numbers import Money, Quantity


class MovementPosted(Event):
    """A line of the ledger as the API shows it, with the balance before it. `document` is what it belongs to
    (`sale/17`), `average_cost` what a unit of the level costs after it."""

    type: ClassVar[str] = "stock.movement.posted"
    about: ClassVar[str] = "product/{product_id}"

    id: int
    product_id: int
    sku: str
    warehouse_id: int
    lot: int = 0
    movement_type: str
    quantity: Quantity
    before: Quantity
    balance: Quantity
    unit_cost: Money | None = None
    average_cost: Money | None = None
    reference_number: str | None = None
    notes: str | None = None
    document: str | None = None
    performed_by: int | None = None
    went_negative: bool = False
    reverses_id: int | None = None
    occurred_at: datetime
    recorded_at: datetime


class LevelState(Event):
    """A level after a change. `version` grows by one per level (product, warehouse and lot); `delta` is the
    change of `on_hand`, `reason` the movement type or the document that changed it."""

    about: ClassVar[str] = "product/{product_id}"
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
    average_cost: Money | None = None
    reason: str
    changed_at: datetime


class LevelChanged(LevelState):
    type: ClassVar[str] = "stock.level.changed"


class LevelCrossing(LevelState):
    """A level whose `on_hand` crossed a limit; said once each way, however many changes stay on one side.
    `threshold` is the product's `low_stock_threshold`, or the settings' default."""

    threshold: Quantity


class LevelLow(LevelCrossing):
    """`on_hand` came down to the threshold or below."""

    type: ClassVar[str] = "stock.level.low"


class LevelDepleted(LevelCrossing):
    """`on_hand` came down to zero or below; `stock.level.low` was said too, then or before."""

    type: ClassVar[str] = "stock.level.depleted"


class LevelRecovered(LevelCrossing):
    """`on_hand` rose above the threshold again."""

    type: ClassVar[str] = "stock.level.recovered"


class WarehouseState(Event):
    """A warehouse as it stands after the change; `version` grows by one with each."""

    about: ClassVar[str] = "warehouse/{warehouse_id}"
    sequence_field: ClassVar[str | None] = "version"

    warehouse_id: int
    version: int
    code: str
    name: str
    address: str | None = None
    kind: str
    negative_stock: str | None = None
    is_default: bool
    deleted: bool = False


class WarehouseCreated(WarehouseState):
    type: ClassVar[str] = "stock.warehouse.created"


class WarehouseUpdated(WarehouseState):
    type: ClassVar[str] = "stock.warehouse.updated"


class WarehouseDeleted(WarehouseState):
    type: ClassVar[str] = "stock.warehouse.deleted"


class SaleLine(BaseModel):
    """`total` is quantity times price less discount; `unit_cost` what a unit cost when it was sold, if known."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: int
    product_id: int
    sku: str
    name: str
    lot: int = 0
    quantity: Quantity
    unit_price: Money
    discount: Money
    total: Money
    unit_cost: Money | None = None
    returned: Quantity
    refunded: Money
    movement_id: int


class SaleState(Event):
    """A sale as the API shows it after the change. `cost` and `profit` are those of the whole sale as it was made,
    null when a cost is unknown; `refunded` is what went back to the customer since."""

    about: ClassVar[str] = "sale/{id}"
    sequence_field: ClassVar[str | None] = "version"

    id: int
    version: int
    number: str
    status: str
    warehouse_id: int
    customer_id: int | None = None
    reservation_id: int | None = None
    payment_method: str | None = None
    reference: str | None = None
    notes: str | None = None
    discount: Money
    total: Money
    refunded: Money
    cost: Money | None = None
    profit: Money | None = None
    sold_by: int | None = None
    seller: str | None = None
    occurred_at: datetime
    recorded_at: datetime
    lines: list[SaleLine]


class SaleCompleted(SaleState):
    type: ClassVar[str] = "stock.sale.completed"


class ReturnedLine(BaseModel):
    """`line_id` is the sale's line; `movement_id` is null when nothing went back to stock."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: int
    line_id: int
    product_id: int
    sku: str
    quantity: Quantity
    amount: Money
    movement_id: int | None = None


class SaleReturned(SaleState):
    """`returned` holds the lines of this return alone."""

    type: ClassVar[str] = "stock.sale.returned"

    return_id: int
    restock: bool
    returned: list[ReturnedLine]


class SaleVoided(SaleState):
    """The whole sale was undone: its stock is back, its money is owed."""

    type: ClassVar[str] = "stock.sale.voided"

    reason: str | None = None


class ActivityUnusual(Event):
    """A movement far outside the habit of its level: `usual` is the typical size of such movements there,
    `times` how many times as large this one was."""

    type: ClassVar[str] = "stock.activity.unusual"
    about: ClassVar[str] = "product/{product_id}"

    movement_id: int
    product_id: int
    sku: str
    warehouse_id: int
    lot: int = 0
    movement_type: str
    quantity: Quantity
    usual: Quantity
    times: float
    performed_by: int | None = None
    document: str | None = None
    recorded_at: datetime
