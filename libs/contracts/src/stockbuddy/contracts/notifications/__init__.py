"""Events published by notifications."""

from stockbuddy.contracts.notifications.inapp import (
    AnnouncementPublished,
    NotificationCreated,
    NotificationsRead,
    PreferencesChanged,
)
from stockbuddy.contracts.notifications.webhooks import (
    WebhookCreated,
    WebhookDeleted,
    WebhookDeliveryRequested,
    WebhookDisabled,
    WebhookSecretRotated,
    WebhookState,
    WebhookUpdated,
)

__all__ = [
    "AnnouncementPublished",
    "NotificationCreated",
    "NotificationsRead",
    "PreferencesChanged",
    "WebhookCreated",
    "WebhookDeleted",
    "WebhookDeliveryRequested",
    "WebhookDisabled",
    "WebhookSecretRotated",
    "WebhookState",
    "WebhookUpdated",
]
