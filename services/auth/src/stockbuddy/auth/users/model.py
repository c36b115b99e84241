"""A user: a name, an address, a role, and the warehouses they are limited to."""

from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import ARRAY, BigInteger, Boolean, DateTime, Enum, Identity, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.auth.orm import Record
from stockbuddy.chassis.http.tokens import Role
from stockbuddy.contracts.auth import UserState

State = TypeVar("State", bound=UserState)

role_column = Enum(Role, native_enum=False, values_callable=lambda roles: [role.value for role in roles])


class User(Record):
    """Names and addresses are unique without regard to case. `warehouse_ids` null means all."""

    __tablename__ = "user_account"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    username: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    full_name: Mapped[str | None] = mapped_column(Text)
    password_hash: Mapped[str] = mapped_column(Text)
    role: Mapped[Role] = mapped_column(role_column)
    warehouse_ids: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    version: Mapped[int] = mapped_column(Integer, default=1)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    def touch(self) -> None:
        """Every change makes a new version."""
        self.version += 1
        self.updated_at = datetime.now(UTC)

    def said_as(self, event: type[State], **more: Any) -> State:
        """The event that carries this user as they stand now."""
        return event(
            user_id=self.id,
            version=self.version,
            username=self.username,
            email=self.email,
            full_name=self.full_name,
            role=self.role.value,
            warehouse_ids=self.warehouse_ids,
            is_active=self.is_active,
            **more,
        )
