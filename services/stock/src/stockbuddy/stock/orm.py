"""Mapped classes of the stock service: the base, and the columns of records that are edited in place."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.chassis.postgres.orm import MappedBase
from stockbuddy.chassis.runtime import clock


class Base(MappedBase):
    __abstract__ = True


class VersionedRecord:
    """Mixin. `version` increases with each change; it is also the entity tag."""

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())

    def update_fields(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            setattr(self, name, value)
        self.version += 1
        self.updated_at = clock.now()
