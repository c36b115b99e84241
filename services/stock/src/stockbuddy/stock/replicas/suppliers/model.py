"""Suppliers as the stock knows them: a copy of what the catalogue decides."""

from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.stock.orm import Base


class Supplier(Base):
    __tablename__ = "supplier"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
    name: Mapped[str]
    contact_email: Mapped[str | None]
    lead_time_days: Mapped[int | None]
    deleted: Mapped[bool]
