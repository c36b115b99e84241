"""Mapped classes of the catalog: the base, and the columns that products, categories and suppliers share."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.chassis.http.pagination import SortOrder
from stockbuddy.chassis.postgres.orm import MappedBase
from stockbuddy.chassis.postgres.text_search import text_sort_key


class Base(MappedBase):
    __abstract__ = True


class VersionedRecord:
    """Mixin. `deleted_at` marks a deleted record: absent from lists, kept for its history."""

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    owner_id: Mapped[int | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    deleted_at: Mapped[datetime | None]

    def update_fields(self, values: Mapping[str, Any], now: datetime) -> list[str]:
        """Set `values`; returns the names of the fields that differ. Any difference increments the version."""
        changed = [name for name, value in values.items() if getattr(self, name) != value]
        for name in changed:
            setattr(self, name, values[name])
        if changed:
            self.version += 1
            self.updated_at = now
        return changed

    @classmethod
    def sort_order(cls, sort_by: str) -> SortOrder:
        """`sort_by` is `name` or `created` with `_asc` or `_desc`; names sort as people read
        them."""
        column, _, direction = sort_by.partition("_")
        key = text_sort_key(cls.name) if column == "name" else cls.created_at
        return SortOrder(sort_by, (key, cls.id), descending=direction == "desc")
