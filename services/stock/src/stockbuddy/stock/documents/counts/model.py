"""Tables of stock counts."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Numeric
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.stock.orm import Base

QUANTITY = Numeric(18, 3)


class Count(Base):
    __tablename__ = "stock_count"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    number: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default="open")
    warehouse_id: Mapped[int]
    notes: Mapped[str | None]
    created_by: Mapped[int | None]
    created_at: Mapped[datetime]
    ended_by: Mapped[int | None]
    ended_at: Mapped[datetime | None]


class CountLine(Base):
    """`expected`: the quantity when the count was opened or, once it was counted, at `counted_at`."""

    __tablename__ = "stock_count_line"

    id: Mapped[int] = mapped_column(primary_key=True)
    count_id: Mapped[int]
    product_id: Mapped[int]
    lot: Mapped[int]
    expected: Mapped[Decimal] = mapped_column(QUANTITY)
    level_version: Mapped[int]
    counted: Mapped[Decimal | None] = mapped_column(QUANTITY)
    counted_at: Mapped[datetime | None]
    counted_by: Mapped[int | None]
    difference: Mapped[Decimal | None] = mapped_column(QUANTITY)
    movement_id: Mapped[int | None]
