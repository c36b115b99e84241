"""Webhooks (endpoints of clients that receive events) and their deliveries."""

import base64
import secrets
from datetime import datetime
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import JSON, Identity, Integer, Text, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.notifications import WebhookState
from stockbuddy.notifications.event_log.field_permissions import field_permissions_among
from stockbuddy.notifications.event_log.patterns import ANY_TYPE, to_expression
from stockbuddy.notifications.event_log.visibility import visible_types
from stockbuddy.notifications.orm import Base

State = TypeVar("State", bound=WebhookState)
DeliveryState = Literal["pending", "delivered", "failed"]

SECRET_BYTES = 32
SECRET_PREFIX = "whsec_"
MIN_FAILED_ATTEMPTS = 10
"""A webhook with fewer failures is not disabled, however long they last."""


class Webhook(Base):
    """`expression` is `event_types` as a regular expression. Events up to `from_position` are not delivered, nor
    those that `visible_expression` excludes: it and `field_permissions` follow the permissions of the owner.

    Since `failing_since` no delivery has succeeded. `failing_seconds` is the time since then during which a delivery
    was failing, from an attempt to its retry: a quiet week does not count."""

    __tablename__ = "webhook"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, default=1)
    url: Mapped[str]
    owner_id: Mapped[int | None]
    granted: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    visible_expression: Mapped[str | None]
    field_permissions: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    description: Mapped[str | None]
    event_types: Mapped[list[str]] = mapped_column(ARRAY(Text))
    expression: Mapped[str]
    is_active: Mapped[bool] = mapped_column(default=True)
    from_position: Mapped[int]
    failing_since: Mapped[datetime | None]
    failing_seconds: Mapped[float] = mapped_column(default=0.0)
    failed_attempts: Mapped[int] = mapped_column(Integer, default=0)
    last_failure_at: Mapped[datetime | None]
    warned_at: Mapped[datetime | None]
    failure_announced_at: Mapped[datetime | None]
    disabled_reason: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)

    def subscribe_to(self, event_types: list[str]) -> None:
        self.event_types = event_types
        self.expression = to_expression(tuple(event_types))

    def grant(self, owner: Principal) -> None:
        """`owner` has changed it: from now on it receives what they may see."""
        self.owner_id, self.granted = owner.user_id, sorted(owner.permissions)
        self.limit_to(owner.permissions)

    def limit_to(self, permissions: frozenset[str]) -> None:
        """To what the owner with these permissions may see, and the credential that last changed it."""
        held = permissions if self.granted is None else permissions.intersection(self.granted)
        types = visible_types(held)
        self.visible_expression = None if types == ANY_TYPE else to_expression(types)
        self.field_permissions = sorted(field_permissions_among(held))

    def enable(self, position: int) -> None:
        """Events up to `position`, the head of the log, are not delivered."""
        if not self.is_active:
            self.is_active, self.from_position, self.disabled_reason = True, position, None
            self.record_success()

    def disable(self, reason: str) -> None:
        self.is_active, self.disabled_reason = False, reason

    def record_success(self) -> None:
        self.failing_since = self.last_failure_at = self.warned_at = None
        self.failing_seconds, self.failed_attempts = 0.0, 0

    def record_failure(self, at: datetime, previous_attempt_at: datetime | None) -> None:
        """`previous_attempt_at`: of the same delivery, if this was a retry."""
        self.failing_since = self.failing_since or at
        self.failed_attempts += 1
        if previous_attempt_at is not None:
            since = max(previous_attempt_at, self.last_failure_at or previous_attempt_at)
            self.failing_seconds += max(0.0, (at - since).total_seconds())
        self.last_failure_at = max(at, self.last_failure_at or at)

    def is_to_be_warned(self, disable_after_seconds: float) -> bool:
        """True if admins must be warned now: before it is disabled, which leaves them half of the time."""
        return self.warned_at is None and self.failing_seconds >= disable_after_seconds / 2

    def is_to_be_disabled(self, disable_after_seconds: float) -> bool:
        has_failed_repeatedly = self.failed_attempts >= MIN_FAILED_ATTEMPTS
        return self.warned_at is not None and has_failed_repeatedly and self.failing_seconds >= disable_after_seconds

    def increment_version(self) -> None:
        self.version += 1
        self.updated_at = clock.now()

    def to_event(self, event: type[State], **fields: Any) -> State:
        """An event with the webhook's current state. Of the URL it contains the host only: the rest may be a secret."""
        return event(
            webhook_id=self.id,
            version=self.version,
            host=urlsplit(self.url).hostname or "",
            event_types=self.event_types,
            description=self.description,
            is_active=self.is_active,
            **fields,
        )


class WebhookSecret(Base):
    """Receivers verify signatures with the newest secret; an earlier one signs, too, until `signs_until`."""

    __tablename__ = "webhook_secret"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    webhook_id: Mapped[int]
    encrypted_secret: Mapped[bytes]
    signs_until: Mapped[datetime | None]


class Delivery(Base):
    """One event for one webhook: the event at `position` of the log or, for a test, `sample`. `attempts` counts all
    attempts, `attempts_in_schedule` those since the delivery was created or requested again. `log`: oldest first."""

    __tablename__ = "webhook_delivery"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    webhook_id: Mapped[int]
    event_id: Mapped[UUID]
    event_type: Mapped[str]
    position: Mapped[int | None]
    sample: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    state: Mapped[str] = mapped_column(default="pending")
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    attempts_in_schedule: Mapped[int] = mapped_column(Integer, default=0)
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=func.now())
    log: Mapped[list[dict[str, Any]]] = mapped_column(ARRAY(JSON), default=list)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    finished_at: Mapped[datetime | None]


def new_secret() -> str:
    """In the format of Standard Webhooks: `whsec_` and 24 to 64 bytes in base64."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
