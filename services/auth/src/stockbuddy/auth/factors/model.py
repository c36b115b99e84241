"""Authenticator apps and recovery codes."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Identity
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.auth.orm import Base


class FactorKind(StrEnum):
    TOTP = "totp"
    RECOVERY_CODE = "recovery_code"


class TotpFactor(Base):
    """An authenticator app. A user has at most one that is confirmed and one that is pending, which replaces it.
    `last_step`: time step of the last accepted code; that code and earlier ones are refused."""

    __tablename__ = "totp_factor"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    encrypted_secret: Mapped[bytes]
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int | None]
    last_used_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """A single-use code in place of a second factor, stored as a keyed digest of user and code."""

    __tablename__ = "recovery_code"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
