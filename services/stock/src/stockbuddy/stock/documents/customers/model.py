"""The table of customers."""

from sqlalchemy.orm import Mapped

from stockbuddy.stock.orm import Base, VersionedRecord


class Customer(VersionedRecord, Base):
    __tablename__ = "customer"

    name: Mapped[str]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    address: Mapped[str | None]
    notes: Mapped[str | None]
