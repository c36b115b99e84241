"""Events of warehouses."""

from typing import ClassVar

from stockbuddy.contracts.event import Event


class WarehouseState(Event):
    """A warehouse after the change; `version` increases by one with each change."""

    subject_template: ClassVar[str] = "warehouse/{warehouse_id}"
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
