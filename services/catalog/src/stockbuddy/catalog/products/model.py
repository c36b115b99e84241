"""A product: what may be changed about it, by whom, and the state that its events carry."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, TypeVar

from sqlalchemy import ARRAY, BigInteger, DateTime, Numeric, Text, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from stockbuddy.contracts.catalog import ProductState


class Model(DeclarativeBase):
    """The mapped classes of this aggregate."""

    type_annotation_map: ClassVar = {int: BigInteger, datetime: DateTime(timezone=True), str: Text}


State = TypeVar("State", bound=ProductState)


class Product(Model):
    """`deleted_at` marks a deleted one: gone from lists, its SKU and barcodes free, its history kept."""

    __tablename__ = "product"

    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str]
    name: Mapped[str]
    description: Mapped[str | None]
    category_id: Mapped[int | None]
    supplier_id: Mapped[int | None]
    owner_id: Mapped[int | None]
    unit_price: Mapped[Decimal] = mapped_column(Numeric(18, 4))
    cost_price: Mapped[Decimal | None] = mapped_column(Numeric(18, 4))
    unit_of_measure: Mapped[str | None]
    barcodes: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    low_stock_threshold: Mapped[Decimal | None] = mapped_column(Numeric(15, 3))
    is_active: Mapped[bool] = mapped_column(default=True)
    image_digest: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    deleted_at: Mapped[datetime | None]

    def change(self, values: Mapping[str, Any], now: datetime) -> list[str]:
        """Take over `values`; the names of those that differ from what was. A change makes a new version."""
        changed = [name for name, value in values.items() if getattr(self, name) != value]
        for name in changed:
            setattr(self, name, values[name])
        if changed:
            self.version += 1
            self.updated_at = now
        return changed

    def state(self, event: type[State], category: str | None, **more: Any) -> State:
        """An event of `event`'s class with the product as it stands."""
        return event(
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
            **more,
        )
