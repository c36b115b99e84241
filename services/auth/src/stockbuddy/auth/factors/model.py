"""Authenticator apps, recovery codes and passkeys."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ARRAY, ForeignKey, Identity, Text
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.auth.orm import Base


class FactorKind(StrEnum):
    TOTP = "totp"
    RECOVERY_CODE = "recovery_code"
    PASSKEY = "passkey"


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


class Passkey(Base):
    """A passkey or security key. `sign_count` grows with each use, unless the authenticator does not count (always 0).
    `disabled_at`: when the counter revealed a copy, after which the passkey is refused."""

    __tablename__ = "passkey"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    credential_id: Mapped[bytes]
    public_key: Mapped[bytes]
    sign_count: Mapped[int]
    name: Mapped[str]
    transports: Mapped[list[str]] = mapped_column(ARRAY(Text))
    is_backed_up: Mapped[bool]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]


class CeremonyPurpose(StrEnum):
    REGISTRATION = "registration"
    STEP_UP = "step_up"
    LOGIN = "login"


class PasskeyChallenge(Base):
    """A started ceremony. `digest` is also the challenge that the authenticator signs. `user_id` null: a login with a
    passkey alone."""

    __tablename__ = "passkey_challenge"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    expires_at: Mapped[datetime]
