"""The table of customers."""

from datetime import datetime

from sqlalchemy.orm import Mapped

from stockbuddy.stock.orm import Base, VersionedRecord


class Customer(VersionedRecord, Base):
    """Of an erased customer only the row is left, with a neutral name, so that totals by customer stay."""

    __tablename__ = "customer"

    name: Mapped[str]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    address: Mapped[str | None]
    notes: Mapped[str | None]
    erased_at: Mapped[datetime | None]
