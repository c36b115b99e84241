"""Tables of transfers. Only the ledger writes them, with the stock that they reserve or move."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Numeric
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.stock.orm import Base

QUANTITY = Numeric(18, 3)
VALUE = Numeric(28, 10)


class Transfer(Base):
    __tablename__ = "stock_transfer"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
    number: Mapped[str]
    status: Mapped[str]
    from_warehouse_id: Mapped[int]
    to_warehouse_id: Mapped[int]
    transfer_reference: Mapped[str | None]
    notes: Mapped[str | None]
    disposition: Mapped[str | None]
    created_by: Mapped[int | None]
    created_at: Mapped[datetime]
    shipped_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class TransferLine(Base):
    __tablename__ = "stock_transfer_line"

    id: Mapped[int] = mapped_column(primary_key=True)
    transfer_id: Mapped[int]
    position: Mapped[int]
    product_id: Mapped[int]
    sku: Mapped[str]
    name: Mapped[str]
    lot: Mapped[int]
    quantity: Mapped[Decimal] = mapped_column(QUANTITY)
    shipped: Mapped[Decimal] = mapped_column(QUANTITY)
    received: Mapped[Decimal] = mapped_column(QUANTITY)
    damaged: Mapped[Decimal] = mapped_column(QUANTITY)
    returned: Mapped[Decimal] = mapped_column(QUANTITY)
    written_off: Mapped[Decimal] = mapped_column(QUANTITY)
    in_transit: Mapped[Decimal] = mapped_column(QUANTITY)
    unit_cost: Mapped[Decimal | None]
    value_in_transit: Mapped[Decimal] = mapped_column(VALUE)
