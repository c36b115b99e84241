"""A supplier: whom products come from, and how long that takes."""

from typing import TypeVar

from sqlalchemy.orm import Mapped

from stockbuddy.catalog.record import Record
from stockbuddy.contracts.catalog import SupplierState

State = TypeVar("State", bound=SupplierState)


class Supplier(Record):
    __tablename__ = "supplier"

    contact_email: Mapped[str | None]
    phone_number: Mapped[str | None]
    address: Mapped[str | None]
    lead_time_days: Mapped[int | None]

    def state(self, event: type[State]) -> State:
        """An event of `event`'s class with the supplier as it stands."""
        return event(
            supplier_id=self.id,
            version=self.version,
            name=self.name,
            contact_email=self.contact_email,
            phone_number=self.phone_number,
            address=self.address,
            lead_time_days=self.lead_time_days,
            owner_id=self.owner_id,
            deleted=self.deleted_at is not None,
        )
