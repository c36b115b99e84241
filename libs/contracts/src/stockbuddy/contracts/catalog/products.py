"""Events of products; each carries the whole state after the change."""

from datetime import datetime
from typing import Annotated, ClassVar

from stockbuddy.contracts.event import Event
from stockbuddy.contracts.field_permissions import COST
from stockbuddy.contracts.numbers import Money, Quantity


class ProductState(Event):
    """A product after the change; `version` increases by one with each change."""

    subject_template: ClassVar[str] = "product/{product_id}"
    sequence_field: ClassVar[str | None] = "version"

    product_id: int
    version: int
    sku: str
    name: str
    description: str | None = None
    category_id: int | None = None
    category: str | None = None
    supplier_id: int | None = None
    owner_id: int | None = None
    unit_price: Money
    cost_price: Annotated[Money | None, COST] = None
    unit_of_measure: str | None = None
    barcodes: list[str] = []
    low_stock_threshold: Quantity | None = None
    is_active: bool
    deleted: bool = False
    created_at: datetime
    updated_at: datetime


class ProductCreated(ProductState):
    """The stock service posts `opening_quantity` once, in the default warehouse, at `cost_price`, if that is one of
    `opening_warehouse_ids`: the warehouses in which the creator may change stock (null: all)."""

    type: ClassVar[str] = "catalog.product.created"

    opening_quantity: Quantity | None = None
    opening_warehouse_ids: list[int] | None = None


class ProductUpdated(ProductState):
    type: ClassVar[str] = "catalog.product.updated"

    changes: list[str] = []


class ProductQuantityImported(Event):
    """An import names the quantity of a product that exists. The stock service posts the difference to its level in the
    default warehouse as an adjustment, if that is one of `warehouse_ids`: the warehouses in which the user who imports
    may change stock (null: all)."""

    type: ClassVar[str] = "catalog.product.quantity_imported"
    subject_template: ClassVar[str] = "product/{product_id}"

    product_id: int
    quantity: Quantity
    warehouse_ids: list[int] | None = None
    import_id: int


class ProductDeleted(ProductState):
    type: ClassVar[str] = "catalog.product.deleted"


class ProductRestored(ProductState):
    type: ClassVar[str] = "catalog.product.restored"


class ProductRepublished(ProductState):
    """The product has not changed. An upgrade publishes the state of products for copies that lack a part of it."""

    type: ClassVar[str] = "catalog.product.republished"
