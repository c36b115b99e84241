"""What products, categories and suppliers have in common: an owner, versions, and a deletion that keeps them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, DateTime, Text, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Record(DeclarativeBase):
    """A mapped class of the catalogue. `deleted_at` marks a deleted record: gone from lists, its history kept."""

    type_annotation_map: ClassVar = {int: BigInteger, datetime: DateTime(timezone=True), str: Text}

    __abstract__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    owner_id: Mapped[int | None]
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
