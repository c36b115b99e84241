"""Events of suppliers."""

from typing import ClassVar

from stockbuddy.contracts.event import Event


class SupplierState(Event):
    """A supplier after the change; `version` increases by one with each change."""

    subject_template: ClassVar[str] = "supplier/{supplier_id}"
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
