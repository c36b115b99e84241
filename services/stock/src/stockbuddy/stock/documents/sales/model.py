"""Tables of sales and returns. Only the ledger writes them, with the stock that they move."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Numeric
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.stock.orm import Base

QUANTITY = Numeric(18, 3)
VALUE = Numeric(28, 10)


class Sale(Base):
    __tablename__ = "sale"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
    number: Mapped[str]
    status: Mapped[str]
    warehouse_id: Mapped[int]
    customer_id: Mapped[int | None]
    reservation_id: Mapped[int | None]
    payment_method: Mapped[str | None]
    reference: Mapped[str | None]
    notes: Mapped[str | None]
    discount: Mapped[Decimal]
    total: Mapped[Decimal]
    refunded: Mapped[Decimal]
    cost: Mapped[Decimal | None]
    profit: Mapped[Decimal | None]
    sold_by: Mapped[int | None]
    seller: Mapped[str | None]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    voided_at: Mapped[datetime | None]


class SaleLine(Base):
    __tablename__ = "sale_line"

    id: Mapped[int] = mapped_column(primary_key=True)
    sale_id: Mapped[int]
    position: Mapped[int]
    product_id: Mapped[int]
    sku: Mapped[str]
    name: Mapped[str]
    lot: Mapped[int]
    quantity: Mapped[Decimal] = mapped_column(QUANTITY)
    unit_price: Mapped[Decimal]
    discount: Mapped[Decimal]
    total: Mapped[Decimal]
    unit_cost: Mapped[Decimal | None]
    cost: Mapped[Decimal | None] = mapped_column(VALUE)
    returned: Mapped[Decimal] = mapped_column(QUANTITY)
    refunded: Mapped[Decimal]
    cost_returned: Mapped[Decimal] = mapped_column(VALUE)
    movement_id: Mapped[int]


class SaleReturn(Base):
    __tablename__ = "sale_return"

    id: Mapped[int] = mapped_column(primary_key=True)
    sale_id: Mapped[int]
    restock: Mapped[bool]
    total: Mapped[Decimal]
    reason: Mapped[str | None]
    performed_by: Mapped[int | None]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class SaleReturnLine(Base):
    __tablename__ = "sale_return_line"

    id: Mapped[int] = mapped_column(primary_key=True)
    return_id: Mapped[int]
    sale_line_id: Mapped[int]
    quantity: Mapped[Decimal] = mapped_column(QUANTITY)
    amount: Mapped[Decimal]
    cost: Mapped[Decimal | None] = mapped_column(VALUE)
    movement_id: Mapped[int | None]
