"""An API key: it acts for its owner, within its own role and warehouses."""

from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ARRAY, ForeignKey, Identity, Text
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.auth.orm import Base
from stockbuddy.auth.session_ids import key_sid
from stockbuddy.auth.users.model import ID_LIST
from stockbuddy.contracts.auth import ApiKeyState

State = TypeVar("State", bound=ApiKeyState)


class ApiKey(Base):
    """Stored are a digest of the secret and its last characters as a hint. `warehouse_ids` null: those of
    the owner; `scopes` null: the permissions of its role; `networks` null: accepted from everywhere.
    `token_generation` grows when its access tokens must be refused although the key stays valid."""

    __tablename__ = "api_key"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    name: Mapped[str]
    digest: Mapped[bytes]
    hint: Mapped[str]
    role: Mapped[str]
    scopes: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    networks: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
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

    def to_event(self, event: type[State], **fields: Any) -> State:
        """An event with the key's state; `fields` are those that the event adds."""
        return event(
            api_key_id=self.id,
            owner_id=self.owner_id,
            name=self.name,
            role=self.role,
            scopes=self.scopes,
            networks=self.networks,
            warehouse_ids=self.warehouse_ids,
            expires_at=self.expires_at,
            **fields,
        )
