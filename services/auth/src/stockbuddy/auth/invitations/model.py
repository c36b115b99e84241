"""An invitation."""

from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ARRAY, BigInteger, DateTime, ForeignKey, Identity, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.auth.orm import Record
from stockbuddy.auth.users.model import role_column
from stockbuddy.chassis.http.tokens import Role
from stockbuddy.contracts.auth import InvitationState

State = TypeVar("State", bound=InvitationState)


class Invitation(Record):
    """Its token has 50 bits, few enough to be guessed offline from a plain digest; so the digest is keyed."""

    __tablename__ = "invitation"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    token_digest: Mapped[bytes] = mapped_column(LargeBinary)
    role: Mapped[Role] = mapped_column(role_column)
    warehouse_ids: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    note: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[int] = mapped_column(BigInteger, ForeignKey("user_account.id"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    used_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("user_account.id"))

    @property
    def is_used(self) -> bool:
        return self.used_at is not None

    def works(self, now: datetime) -> bool:
        return self.used_at is None and now < self.expires_at

    def said_as(self, event: type[State], **more: Any) -> State:
        return event(
            access_token_id=self.id,
            role=self.role.value,
            warehouse_ids=self.warehouse_ids,
            note=self.note,
            expires_at=self.expires_at,
            **more,
        )
