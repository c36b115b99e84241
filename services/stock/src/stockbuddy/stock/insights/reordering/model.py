"""Table of the reorder rules: parameters set by users, at most one rule per product and warehouse."""

from decimal import Decimal

from sqlalchemy import Numeric
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.stock.orm import Base, VersionedRecord

QUANTITY = Numeric(18, 3)


class ReorderRule(VersionedRecord, Base):
    """A parameter that is None is computed. While a rule is inactive, the product is not suggested in the warehouse."""

    __tablename__ = "reorder_rule"

    product_id: Mapped[int]
    warehouse_id: Mapped[int]
    supplier_id: Mapped[int | None]
    reorder_point: Mapped[Decimal | None] = mapped_column(QUANTITY)
    safety_stock: Mapped[Decimal | None] = mapped_column(QUANTITY)
    lead_time_days: Mapped[int | None]
    cover_days: Mapped[int | None]
    minimum_quantity: Mapped[Decimal | None] = mapped_column(QUANTITY)
    pack_size: Mapped[Decimal | None] = mapped_column(QUANTITY)
    is_active: Mapped[bool] = mapped_column(default=True)
