"""Events of webhooks."""

from datetime import datetime
from typing import ClassVar

from stockbuddy.contracts.event import Event


class WebhookState(Event):
    """A webhook after the change; `version` increases by one with each change. Only the host of its URL is published:
    path and query often contain secrets."""

    subject_template: ClassVar[str] = "webhook/{webhook_id}"
    sequence_field: ClassVar[str | None] = "version"

    webhook_id: int
    version: int
    host: str
    event_types: list[str]
    description: str | None = None
    is_active: bool
    deleted: bool = False


class WebhookCreated(WebhookState):
    type: ClassVar[str] = "notifications.webhook.created"


class WebhookUpdated(WebhookState):
    type: ClassVar[str] = "notifications.webhook.updated"


class WebhookSecretRotated(WebhookState):
    type: ClassVar[str] = "notifications.webhook.secret_rotated"


class WebhookDisabled(WebhookState):
    """The webhook was disabled: its receiver answered 410 Gone, or every delivery failed for days."""

    type: ClassVar[str] = "notifications.webhook.disabled"

    reason: str


class WebhookFailing(Event):
    """A delivery failed for good, or every delivery has failed for long, so that the webhook will be disabled.
    `reason`: for an admin."""

    type: ClassVar[str] = "notifications.webhook.failing"
    subject_template: ClassVar[str] = "webhook/{webhook_id}"

    webhook_id: int
    host: str
    reason: str


class WebhookDeleted(WebhookState):
    type: ClassVar[str] = "notifications.webhook.deleted"


class WebhookDeliveryRequested(Event):
    """A user requested a delivery: of a past event again, or of a test event."""

    type: ClassVar[str] = "notifications.webhook.delivery_requested"
    subject_template: ClassVar[str] = "webhook/{webhook_id}"

    webhook_id: int
    delivery_id: int
    event_type: str


class WebhookResendRequested(Event):
    """A user requested `deliveries` deliveries: of the events since then that the webhook had missed."""

    type: ClassVar[str] = "notifications.webhook.resend_requested"
    subject_template: ClassVar[str] = "webhook/{webhook_id}"

    webhook_id: int
    since: datetime
    deliveries: int
