"""The mapped class of suppliers, and their events."""

from typing import TypeVar

from sqlalchemy.orm import Mapped

from stockbuddy.catalog.orm import Base, VersionedRecord
from stockbuddy.contracts.catalog import SupplierState

State = TypeVar("State", bound=SupplierState)


class Supplier(VersionedRecord, Base):
    """Several suppliers may have the same name."""

    __tablename__ = "supplier"

    contact_email: Mapped[str | None]
    phone_number: Mapped[str | None]
    address: Mapped[str | None]
    lead_time_days: Mapped[int | None]

    def to_event(self, event_type: type[State]) -> State:
        """The event with the supplier's current state."""
        return event_type(
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
