"""Table of the warehouses."""

from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.stock.orm import Base, VersionedRecord


class Warehouse(VersionedRecord, Base):
    """`negative_stock` None: the system setting applies. `deleted` rows remain, because movements refer to them."""

    __tablename__ = "warehouse"

    code: Mapped[str]
    name: Mapped[str]
    address: Mapped[str | None]
    kind: Mapped[str] = mapped_column(default="warehouse")
    negative_stock: Mapped[str | None]
    is_default: Mapped[bool] = mapped_column(default=False)
    deleted: Mapped[bool] = mapped_column(default=False)
