"""Events published by notifications."""

from stockbuddy.contracts.notifications.checkpoints import CheckpointSigned, EntriesArchived, EntriesRedacted
from stockbuddy.contracts.notifications.emails import (
    NotificationEmailFailed,
    NotificationEmailRetried,
    NotificationEmailsDelayed,
)
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
    WebhookFailing,
    WebhookResendRequested,
    WebhookSecretRotated,
    WebhookState,
    WebhookUpdated,
)

__all__ = [
    "AnnouncementPublished",
    "CheckpointSigned",
    "EntriesArchived",
    "EntriesRedacted",
    "NotificationCreated",
    "NotificationEmailFailed",
    "NotificationEmailRetried",
    "NotificationEmailsDelayed",
    "NotificationsRead",
    "PreferencesChanged",
    "WebhookCreated",
    "WebhookDeleted",
    "WebhookDeliveryRequested",
    "WebhookDisabled",
    "WebhookFailing",
    "WebhookResendRequested",
    "WebhookSecretRotated",
    "WebhookState",
    "WebhookUpdated",
]
