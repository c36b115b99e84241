"""Events of the catalogue: what is traded. Each carries the whole state after the change."""

from datetime import datetime
from typing import ClassVar

from stockbuddy.contracts.event import Event
from stockbuddy.contracts.numbers import Money, Quantity


class ProductState(Event):
    """A product as it stands after the change; `version` grows by one with each."""

    about: ClassVar[str] = "product/{product_id}"
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
    cost_price: Money | None = None
    unit_of_measure: str | None = None
    barcodes: list[str] = []
    low_stock_threshold: Quantity | None = None
    is_active: bool
    deleted: bool = False
    created_at: datetime
    updated_at: datetime


class ProductCreated(ProductState):
    """`opening_quantity` is to be posted once, in the default warehouse, at `cost_price`."""

    type: ClassVar[str] = "catalog.product.created"

    opening_quantity: Quantity | None = None


class ProductUpdated(ProductState):
    type: ClassVar[str] = "catalog.product.updated"

    changes: list[str] = []


class ProductDeleted(ProductState):
    type: ClassVar[str] = "catalog.product.deleted"


class ProductRestored(ProductState):
    type: ClassVar[str] = "catalog.product.restored"


class CategoryState(Event):
    """A category as it stands after the change; `version` grows by one with each."""

    about: ClassVar[str] = "category/{category_id}"
    sequence_field: ClassVar[str | None] = "version"

    category_id: int
    version: int
    name: str
    parent_id: int | None = None
    owner_id: int | None = None
    deleted: bool = False


class CategoryCreated(CategoryState):
    type: ClassVar[str] = "catalog.category.created"


class CategoryUpdated(CategoryState):
    """Products carry the name of their category: a reader of products that shows it takes it over from here."""

    type: ClassVar[str] = "catalog.category.updated"


class CategoryDeleted(CategoryState):
    type: ClassVar[str] = "catalog.category.deleted"


class SupplierState(Event):
    """A supplier as it stands after the change; `version` grows by one with each."""

    about: ClassVar[str] = "supplier/{supplier_id}"
    sequence_field: ClassVar[str | None] = "version"

    supplier_id: int
    version: int
    name: str
    contact_email: str | None = None
    phone_number: str | None = None
    address: str | None = None
    lead_time_days: int | None = None
    owner_id: int | None = None
    deleted: bool = False


class SupplierCreated(SupplierState):
    type: ClassVar[str] = "catalog.supplier.created"


class SupplierUpdated(SupplierState):
    type: ClassVar[str] = "catalog.supplier.updated"


class SupplierDeleted(SupplierState):
    type: ClassVar[str] = "catalog.supplier.deleted"


class ImportFinished(Event):
    """An import came to its end: `finished`, or `failed` as a whole (rows may fail in one that finished)."""

    type: ClassVar[str] = "catalog.import.finished"
    about: ClassVar[str] = "import/{import_id}"

    import_id: int
    state: str
    dry_run: bool
    total: int | None = None
    created: int
    updated: int
    unchanged: int
    failed: int
    problem: str | None = None
