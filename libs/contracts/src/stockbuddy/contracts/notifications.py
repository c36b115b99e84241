"""Events of the notifications service: what people were told, and what became of webhooks."""

from datetime import datetime
from typing import Any, ClassVar

from stockbuddy.contracts.event import Event


class NotificationCreated(Event):
    """Somebody is told something. `audience` is `user/5`, `role/manager` or `everyone`; nobody else may see it.
    `about_subject` is the subject of the event that it tells of, if there is one."""

    type: ClassVar[str] = "notifications.notification.created"
    about: ClassVar[str] = "{audience}"

    notification_id: int
    audience: str
    kind: str
    title: str
    body: str
    about_subject: str | None = None
    created_at: datetime


class NotificationsRead(Event):
    """A user has read some notifications, or put them back among the unread."""

    type: ClassVar[str] = "notifications.notification.read"
    about: ClassVar[str] = "user/{user_id}"

    user_id: int
    notification_ids: list[int]
    unread: bool = False


class AnnouncementMade(Event):
    """Somebody has told others something, as notification `notification_id`; `audience` as there."""

    type: ClassVar[str] = "notifications.announcement.made"
    about: ClassVar[str] = "notification/{notification_id}"

    notification_id: int
    audience: str
    kind: str
    title: str
    body: str


class PreferencesChanged(Event):
    """How a user wants to hear of things: by kind, in the app and by e-mail."""

    type: ClassVar[str] = "notifications.preferences.changed"
    about: ClassVar[str] = "user/{user_id}"

    user_id: int
    preferences: dict[str, dict[str, bool]]
    changes: dict[str, Any] = {}


class WebhookState(Event):
    """A webhook as it stands after the change; `version` grows by one with each. Of its address only the host
    is said: the rest of many addresses is as good as a password."""

    about: ClassVar[str] = "webhook/{webhook_id}"
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


class WebhookSendRequested(Event):
    """Somebody asked for a delivery: of an event that was delivered or given up before, or of a test."""

    type: ClassVar[str] = "notifications.webhook.send_requested"
    about: ClassVar[str] = "webhook/{webhook_id}"

    webhook_id: int
    delivery_id: int
    event_type: str
