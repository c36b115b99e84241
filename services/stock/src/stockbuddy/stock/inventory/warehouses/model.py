"""Table of the warehouses."""

from datetime import datetime

from sqlalchemy import func
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.stock.orm import Base


class Warehouse(Base):
    """`negative_stock` None: the system setting applies. `deleted` rows remain, because movements refer to them."""

    __tablename__ = "warehouse"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    code: Mapped[str]
    name: Mapped[str]
    address: Mapped[str | None]
    kind: Mapped[str] = mapped_column(default="warehouse")
    negative_stock: Mapped[str | None]
    is_default: Mapped[bool] = mapped_column(default=False)
    deleted: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
