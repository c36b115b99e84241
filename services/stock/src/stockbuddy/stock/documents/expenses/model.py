"""The table of expenses."""

from datetime import date
from decimal import Decimal

from sqlalchemy.orm import Mapped

from stockbuddy.stock.orm import Base, VersionedRecord


class Expense(VersionedRecord, Base):
    """`warehouse_id` None: the expense concerns the whole company."""

    __tablename__ = "expense"

    category: Mapped[str]
    amount: Mapped[Decimal]
    incurred_on: Mapped[date]
    notes: Mapped[str | None]
    warehouse_id: Mapped[int | None]
    created_by: Mapped[int | None]
