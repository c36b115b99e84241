"""A user account: name, address, role, and the warehouses it is limited to."""

from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ARRAY, BigInteger, Identity
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.auth.orm import Base
from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.auth import UserState

State = TypeVar("State", bound=UserState)

ID_LIST = ARRAY(BigInteger)


class User(Base):
    """Unique indexes ignore the case of usernames and addresses, and reject usernames that look alike.
    `username_skeleton` null: registered by an earlier release, or similar to an earlier user's name. `pending_email`
    replaces `email` when it is confirmed. `warehouse_ids` null: all warehouses."""

    __tablename__ = "user_account"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    username: Mapped[str]
    username_skeleton: Mapped[str | None]
    email: Mapped[str]
    email_confirmed: Mapped[bool]
    pending_email: Mapped[str | None]
    full_name: Mapped[str | None]
    password_hash: Mapped[str]
    role: Mapped[str]
    warehouse_ids: Mapped[list[int] | None] = mapped_column(ID_LIST)
    is_active: Mapped[bool]
    has_second_factor: Mapped[bool]
    erased_at: Mapped[datetime | None]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    @property
    def is_admin(self) -> bool:
        return self.role == Role.ADMIN

    @property
    def is_salesperson(self) -> bool:
        return self.role == Role.SALESPERSON

    def touch(self) -> None:
        """Start a new version after a change."""
        self.version += 1
        self.updated_at = clock.now()

    def to_event(self, event: type[State], **fields: Any) -> State:
        """An event with the user's current state; `fields` are those that the event adds."""
        return event(
            user_id=self.id,
            version=self.version,
            username=self.username,
            email=self.email,
            email_confirmed=self.email_confirmed,
            full_name=self.full_name,
            role=self.role,
            warehouse_ids=self.warehouse_ids,
            is_active=self.is_active,
            **fields,
        )
