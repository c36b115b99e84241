"""Tables of purchase orders and receipts. Only the ledger writes them, except drafts."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Numeric
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.stock.orm import Base

QUANTITY = Numeric(18, 3)


class PurchaseOrder(Base):
    __tablename__ = "purchase_order"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
    number: Mapped[str]
    status: Mapped[str]
    supplier_id: Mapped[int]
    supplier: Mapped[str]
    warehouse_id: Mapped[int]
    reference: Mapped[str | None]
    notes: Mapped[str | None]
    expected_at: Mapped[datetime | None]
    total: Mapped[Decimal]
    received_total: Mapped[Decimal]
    created_by: Mapped[int | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    ordered_at: Mapped[datetime | None]
    received_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]


class PurchaseOrderLine(Base):
    """`outstanding`: the quantity that counts as incoming; zero for drafts and cancelled orders."""

    __tablename__ = "purchase_order_line"

    id: Mapped[int] = mapped_column(primary_key=True)
    purchase_order_id: Mapped[int]
    position: Mapped[int]
    product_id: Mapped[int]
    warehouse_id: Mapped[int]
    sku: Mapped[str]
    name: Mapped[str]
    quantity: Mapped[Decimal] = mapped_column(QUANTITY)
    unit_cost: Mapped[Decimal]
    total: Mapped[Decimal]
    received: Mapped[Decimal] = mapped_column(QUANTITY)
    outstanding: Mapped[Decimal] = mapped_column(QUANTITY)
    over_received: Mapped[bool]


class PurchaseReceipt(Base):
    __tablename__ = "purchase_receipt"

    id: Mapped[int] = mapped_column(primary_key=True)
    purchase_order_id: Mapped[int]
    reference: Mapped[str | None]
    notes: Mapped[str | None]
    performed_by: Mapped[int | None]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class PurchaseReceiptLine(Base):
    __tablename__ = "purchase_receipt_line"

    id: Mapped[int] = mapped_column(primary_key=True)
    receipt_id: Mapped[int]
    purchase_order_line_id: Mapped[int]
    quantity: Mapped[Decimal] = mapped_column(QUANTITY)
    unit_cost: Mapped[Decimal]
    movement_id: Mapped[int]
