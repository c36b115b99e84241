"""Tables and records of the product replica."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Numeric
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.stock.orm import Base

ProductReference = int | str
"""An id or a SKU; SKUs are case-insensitive."""


class Product(Base):
    __tablename__ = "product"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
    sku: Mapped[str]
    name: Mapped[str]
    category_id: Mapped[int | None]
    category: Mapped[str | None]
    owner_id: Mapped[int | None]
    supplier_id: Mapped[int | None]
    unit_price: Mapped[Decimal]
    cost_price: Mapped[Decimal | None]
    low_stock_threshold: Mapped[Decimal | None] = mapped_column(Numeric(18, 3))
    deleted: Mapped[bool]
    created_at: Mapped[datetime]
    inactive_since: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class ProductReplica:
    """The fields of a product that documents need, read without the ORM. `inactive_since`: None while it is active;
    `currency`: of its prices, None until auth has published its settings."""

    id: int
    sku: str
    name: str
    owner_id: int | None
    unit_price: Decimal
    cost_price: Decimal | None
    deleted: bool
    supplier_id: int | None
    inactive_since: datetime | None
    deleted_at: datetime | None
    currency: str | None

    def existed(self, at: datetime | None) -> bool:
        """Whether the product had not been deleted at that moment; None: now."""
        return not self.deleted or (at is not None and self.deleted_at is not None and at < self.deleted_at)
