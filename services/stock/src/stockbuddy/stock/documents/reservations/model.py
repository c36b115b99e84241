"""Tables of reservations. Only the ledger writes them, with the reserved quantities of the levels."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Numeric
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.stock.orm import Base


class Reservation(Base):
    __tablename__ = "reservation"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
    status: Mapped[str]
    external_ref: Mapped[str | None]
    notes: Mapped[str | None]
    sale_id: Mapped[int | None]
    created_by: Mapped[int | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ReservationLine(Base):
    __tablename__ = "reservation_line"

    id: Mapped[int] = mapped_column(primary_key=True)
    reservation_id: Mapped[int]
    position: Mapped[int]
    product_id: Mapped[int]
    sku: Mapped[str]
    name: Mapped[str]
    warehouse_id: Mapped[int]
    lot: Mapped[int]
    quantity: Mapped[Decimal] = mapped_column(Numeric(18, 3))
