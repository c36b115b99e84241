"""Tokens that confirm e-mail addresses."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.auth.orm import Base


class EmailConfirmation(Base):
    """A single-use token that confirms `email`, which is the user's address or the one that is to replace it."""

    __tablename__ = "email_confirmation"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    email: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
