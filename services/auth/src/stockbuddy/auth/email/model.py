"""The queue of e-mails. Rows contain no secrets: a token is created when the e-mail is composed."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Enum, ForeignKey, Identity
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.auth.orm import Base


class EmailKind(StrEnum):
    PASSWORD_RESET = "password_reset"
    PASSWORD_CHANGED = "password_changed"
    EMAIL_CONFIRMATION = "email_confirmation"
    EMAIL_CHANGE_REQUESTED = "email_change_requested"
    EMAIL_CHANGED = "email_changed"
    FACTORS_CHANGED = "factors_changed"
    PASSKEY_DISABLED = "passkey_disabled"
    RECOVERY_CODE_USED = "recovery_code_used"


class QueuedEmail(Base):
    """`recipient` is an address; for a password reset the requested one, whether it belongs to a user or not.
    `next_attempt_at` null: set aside at `failed_at` because of `last_error`."""

    __tablename__ = "queued_email"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    kind: Mapped[EmailKind] = mapped_column(
        Enum(EmailKind, native_enum=False, values_callable=lambda kinds: [kind.value for kind in kinds])
    )
    recipient: Mapped[str]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    request_id: Mapped[str | None]
    client_ip: Mapped[str | None]
    queued_at: Mapped[datetime]
    attempts: Mapped[int]
    next_attempt_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    failed_at: Mapped[datetime | None]
