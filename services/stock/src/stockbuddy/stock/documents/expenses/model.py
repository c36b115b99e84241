"""The table of expenses."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import func
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.stock.orm import Base


class Expense(Base):
    """`warehouse_id` None: the expense concerns the whole company."""

    __tablename__ = "expense"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    category: Mapped[str]
    amount: Mapped[Decimal]
    incurred_on: Mapped[date]
    notes: Mapped[str | None]
    warehouse_id: Mapped[int | None]
    created_by: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
