"""A role that an admin has defined."""

from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import ARRAY, BigInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.auth.orm import Base
from stockbuddy.auth.roles.rights import Rights
from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.auth import RoleState

State = TypeVar("State", bound=RoleState)


class CustomRole(Base):
    """`warehouse_ids` null: all warehouses. `max_discount_percent` null: no limit."""

    __tablename__ = "role"

    name: Mapped[str] = mapped_column(primary_key=True)
    description: Mapped[str | None]
    permissions: Mapped[list[str]] = mapped_column(ARRAY(Text))
    max_discount_percent: Mapped[Decimal | None]
    warehouse_ids: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    @property
    def is_built_in(self) -> bool:
        return False

    @property
    def rights(self) -> Rights:
        """Permissions that only a newer release knows are ignored."""
        return Rights(
            role=self.name,
            permissions=frozenset(permission for permission in Permission if permission in self.permissions),
            warehouse_ids=None if self.warehouse_ids is None else frozenset(self.warehouse_ids),
            max_discount_percent=self.max_discount_percent,
        )

    def touch(self) -> None:
        """Start a new version after a change."""
        self.version += 1
        self.updated_at = clock.now()

    def to_event(self, event: type[State], **fields: Any) -> State:
        """An event with the role's state; `fields` are those that the event adds."""
        return event(
            name=self.name,
            version=self.version,
            description=self.description,
            permissions=self.permissions,
            max_discount_percent=self.max_discount_percent,
            warehouse_ids=self.warehouse_ids,
            **fields,
        )
