"""A letter that waits to be sent. It holds no secret: that is made when it is written out."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, DateTime, Enum, Identity, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.auth.orm import Record


class LetterKind(StrEnum):
    PASSWORD_RESET = "password_reset"
    PASSWORD_CHANGED = "password_changed"
    EMAIL_CHANGED = "email_changed"


class Letter(Record):
    """`recipient` is an address; for a password reset as somebody typed it, whether it is a user's or not."""

    __tablename__ = "letter"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[LetterKind] = mapped_column(
        Enum(LetterKind, native_enum=False, values_callable=lambda kinds: [kind.value for kind in kinds])
    )
    recipient: Mapped[str] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(Text)
    client_ip: Mapped[str | None] = mapped_column(Text)
    written_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    attempts: Mapped[int] = mapped_column(Integer)
    next_attempt_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
