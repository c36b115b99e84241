"""Table of the stock levels. Only the ledger writes it."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Numeric
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.stock.orm import Base

QUANTITY = Numeric(18, 3)
VALUE = Numeric(28, 10)


class Level(Base):
    __tablename__ = "level"

    product_id: Mapped[int] = mapped_column(primary_key=True)
    warehouse_id: Mapped[int] = mapped_column(primary_key=True)
    lot: Mapped[int] = mapped_column(primary_key=True)
    on_hand: Mapped[Decimal] = mapped_column(QUANTITY)
    reserved: Mapped[Decimal] = mapped_column(QUANTITY)
    version: Mapped[int]
    value: Mapped[Decimal] = mapped_column(VALUE)
    last_cost: Mapped[Decimal | None] = mapped_column(VALUE)
    updated_at: Mapped[datetime]
