"""A webhook: where events of some types are sent, and what they are signed with."""

import base64
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

from sqlalchemy import BigInteger, Boolean, DateTime, Identity, Integer, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from stockbuddy.contracts.notifications import WebhookState
from stockbuddy.notifications.event_log.patterns import expression_of

State = TypeVar("State", bound=WebhookState)

SECRET_BYTES = 32
SECRET_PREFIX = "whsec_"
MOMENT = DateTime(timezone=True)


class Record(DeclarativeBase):
    """What is mapped here."""


class Webhook(Record):
    """Its secret is what receivers verify with; after a rotation the one before signs too, for a while."""

    __tablename__ = "webhook"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, default=1)
    url: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    event_types: Mapped[list[str]] = mapped_column(ARRAY(Text))
    expression: Mapped[str] = mapped_column(Text)
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    since_position: Mapped[int] = mapped_column(BigInteger)
    secret: Mapped[str] = mapped_column(Text)
    previous_secret: Mapped[str | None] = mapped_column(Text)
    previous_secret_until: Mapped[datetime | None] = mapped_column(MOMENT)
    failing_since: Mapped[datetime | None] = mapped_column(MOMENT)
    disabled_reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(MOMENT, default=lambda: datetime.now(UTC))
    updated_at: Mapped[datetime] = mapped_column(MOMENT, default=lambda: datetime.now(UTC))

    def listen_to(self, event_types: list[str]) -> None:
        self.event_types = event_types
        self.expression = expression_of(tuple(event_types))

    def switch_on(self, position: int) -> None:
        """Events up to `position` happened while it was off; they are not sent."""
        if not self.is_active:
            self.is_active, self.since_position = True, position
            self.failing_since = self.disabled_reason = None

    def disable(self, reason: str) -> None:
        self.is_active, self.disabled_reason = False, reason

    def rotate_secret(self, overlap_seconds: float) -> str:
        """The new secret; the old one goes on signing beside it for `overlap_seconds`."""
        self.previous_secret = self.secret if overlap_seconds > 0 else None
        self.previous_secret_until = datetime.now(UTC) + timedelta(seconds=overlap_seconds)
        self.secret = new_secret()
        return self.secret

    def touch(self) -> None:
        """Every change makes a new version."""
        self.version += 1
        self.updated_at = datetime.now(UTC)

    def said_as(self, event: type[State], **more: Any) -> State:
        """The event that carries this webhook as it stands now."""
        return event(
            webhook_id=self.id,
            version=self.version,
            host=urlsplit(self.url).hostname or "",
            event_types=self.event_types,
            description=self.description,
            is_active=self.is_active,
            **more,
        )


def new_secret() -> str:
    """As Standard Webhooks wants it: `whsec_` and 24 to 64 bytes in base64."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
