"""Invitations."""

from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ForeignKey, Identity
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.auth.orm import Base
from stockbuddy.auth.users.model import ID_LIST
from stockbuddy.contracts.auth import InvitationState

State = TypeVar("State", bound=InvitationState)


class Invitation(Base):
    """The token has 50 bits, few enough for offline guessing from a plain digest; therefore its digest is keyed."""

    __tablename__ = "invitation"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    token_digest: Mapped[bytes]
    role: Mapped[str]
    warehouse_ids: Mapped[list[int] | None] = mapped_column(ID_LIST)
    note: Mapped[str | None]
    created_by: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))

    @property
    def is_used(self) -> bool:
        return self.used_at is not None

    def is_valid(self, now: datetime) -> bool:
        return self.used_at is None and now < self.expires_at

    def to_event(self, event: type[State], **fields: Any) -> State:
        """An event with the invitation's state; `fields` are those that the event adds."""
        return event(
            invitation_id=self.id,
            role=self.role,
            warehouse_ids=self.warehouse_ids,
            note=self.note,
            expires_at=self.expires_at,
            **fields,
        )
