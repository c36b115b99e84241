"""Table of the movements. Only the ledger inserts rows; they are never updated."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Numeric
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.stock.orm import Base

QUANTITY = Numeric(18, 3)
VALUE = Numeric(28, 10)


class Movement(Base):
    __tablename__ = "movement"

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int]
    warehouse_id: Mapped[int]
    lot: Mapped[int]
    version: Mapped[int]
    movement_type: Mapped[str]
    quantity: Mapped[Decimal] = mapped_column(QUANTITY)
    before: Mapped[Decimal] = mapped_column(QUANTITY)
    balance: Mapped[Decimal] = mapped_column(QUANTITY)
    unit_cost: Mapped[Decimal | None]
    value: Mapped[Decimal] = mapped_column(VALUE)
    correction: Mapped[Decimal] = mapped_column(VALUE)
    average_cost: Mapped[Decimal | None]
    cost_stated: Mapped[bool]
    went_negative: Mapped[bool]
    reference_number: Mapped[str | None]
    notes: Mapped[str | None]
    document: Mapped[str | None]
    reverses_id: Mapped[int | None]
    performed_by: Mapped[int | None]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
