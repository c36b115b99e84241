"""The mapped class of products, and their events."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import ARRAY, Numeric, Text
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.catalog.orm import Base, VersionedRecord
from stockbuddy.contracts.catalog import ProductState

State = TypeVar("State", bound=ProductState)


OPENING_PERIOD = timedelta(days=1)


class Product(VersionedRecord, Base):
    """Deleting a product releases its SKU and barcodes."""

    __tablename__ = "product"

    sku: Mapped[str]
    description: Mapped[str | None]
    category_id: Mapped[int | None]
    supplier_id: Mapped[int | None]
    unit_price: Mapped[Decimal]
    cost_price: Mapped[Decimal | None]
    unit_of_measure: Mapped[str | None]
    barcodes: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    low_stock_threshold: Mapped[Decimal | None] = mapped_column(Numeric(15, 3))
    is_active: Mapped[bool] = mapped_column(default=True)
    image_digest: Mapped[str | None]
    opening_quantity: Mapped[Decimal | None] = mapped_column(Numeric(15, 3))

    def awaits_opening_stock(self, now: datetime) -> bool:
        """True if stock may still have to post the opening stock: it refuses one that the ledger can't represent, so
        after OPENING_PERIOD no more is expected."""
        return self.opening_quantity is not None and now < self.created_at + OPENING_PERIOD

    def to_event(self, event_type: type[State], category: str | None, **details: Any) -> State:
        """The event with the product's current state; `category` is the name of its category."""
        return event_type(
            product_id=self.id,
            version=self.version,
            sku=self.sku,
            name=self.name,
            description=self.description,
            category_id=self.category_id,
            category=category,
            supplier_id=self.supplier_id,
            owner_id=self.owner_id,
            unit_price=self.unit_price,
            cost_price=self.cost_price,
            unit_of_measure=self.unit_of_measure,
            barcodes=self.barcodes,
            low_stock_threshold=self.low_stock_threshold,
            is_active=self.is_active,
            deleted=self.deleted_at is not None,
            created_at=self.created_at,
            updated_at=self.updated_at,
            **details,
        )
