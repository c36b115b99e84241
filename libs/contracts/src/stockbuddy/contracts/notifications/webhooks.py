"""Events of webhooks."""

from typing import ClassVar

from stockbuddy.contracts.event import Event


class WebhookState(Event):
    """A webhook as it stands after the change; `version` grows by one with each. Of its address only the host
    is said: the rest of many addresses is as good as a password."""

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
    """We have given it up: the receiver said that it is gone (410), or has not answered well for days."""

    type: ClassVar[str] = "notifications.webhook.disabled"

    reason: str


class WebhookDeleted(WebhookState):
    type: ClassVar[str] = "notifications.webhook.deleted"


class WebhookDeliveryRequested(Event):
    """Somebody asked for a delivery: of an event that was delivered or given up before, or of a test."""

    type: ClassVar[str] = "notifications.webhook.delivery_requested"
    subject_template: ClassVar[str] = "webhook/{webhook_id}"

    webhook_id: int
    delivery_id: int
    event_type: str
