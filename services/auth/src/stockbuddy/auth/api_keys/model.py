"""An API key: it acts for its owner, within its own role and warehouses."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ForeignKey, Identity
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.auth.orm import Base
from stockbuddy.auth.session_ids import key_sid
from stockbuddy.auth.users.model import ID_LIST, ROLE
from stockbuddy.chassis.http.tokens import Role
from stockbuddy.contracts.auth import ApiKeyState

State = TypeVar("State", bound=ApiKeyState)

RANKS = {role: rank for rank, role in enumerate(Role)}


class ApiKey(Base):
    """Stored are a digest of the secret and its last characters as a hint. `warehouse_ids` null: those of the owner.
    `token_generation` grows when its access tokens must be refused although the key stays valid."""

    __tablename__ = "api_key"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    name: Mapped[str]
    digest: Mapped[bytes]
    hint: Mapped[str]
    role: Mapped[Role] = mapped_column(ROLE)
    warehouse_ids: Mapped[list[int] | None] = mapped_column(ID_LIST)
    token_generation: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    @property
    def sid(self) -> str:
        """The claim `sid` of its access tokens."""
        return key_sid(self.id, self.token_generation)

    def exceeds(self, role: Role, warehouse_ids: Collection[int] | None) -> bool:
        """True if its role or warehouses exceed the given ones."""
        return exceeds_role(self.role, role) or exceeds_warehouses(self.warehouse_ids, warehouse_ids)

    def to_event(self, event: type[State], **fields: Any) -> State:
        """An event with the key's state; `fields` are those that the event adds."""
        return event(
            api_key_id=self.id,
            owner_id=self.owner_id,
            name=self.name,
            role=self.role.value,
            warehouse_ids=self.warehouse_ids,
            expires_at=self.expires_at,
            **fields,
        )


def exceeds_role(role: Role, limit: Role) -> bool:
    return RANKS[role] > RANKS[limit]


def exceeds_warehouses(requested: Collection[int] | None, limit: Collection[int] | None) -> bool:
    """`requested` null: whatever the limit allows; `limit` null: no limit."""
    return requested is not None and limit is not None and not set(requested) <= set(limit)


def common_warehouses(first: Collection[int] | None, second: Collection[int] | None) -> frozenset[int] | None:
    """The intersection; null means all."""
    if first is None or second is None:
        limit = second if first is None else first
        return None if limit is None else frozenset(limit)
    return frozenset(first) & frozenset(second)
