"""Events of in-app notifications, announcements and preferences."""

from datetime import datetime
from typing import Any, ClassVar

from stockbuddy.contracts.event import Event


class NotificationCreated(Event):
    """Somebody is told something. `audience` is `user/5`, `role/manager` or `everyone`; nobody else may see it.
    `about_subject` is the subject of the event that it tells of, if there is one."""

    type: ClassVar[str] = "notifications.notification.created"
    subject_template: ClassVar[str] = "{audience}"

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
    subject_template: ClassVar[str] = "user/{user_id}"

    user_id: int
    notification_ids: list[int]
    unread: bool = False


class AnnouncementPublished(Event):
    """Somebody has told others something, as notification `notification_id`; `audience` as there."""

    type: ClassVar[str] = "notifications.announcement.published"
    subject_template: ClassVar[str] = "notification/{notification_id}"

    notification_id: int
    audience: str
    kind: str
    title: str
    body: str


class PreferencesChanged(Event):
    """How a user wants to hear of things: by kind, in the app and by e-mail."""

    type: ClassVar[str] = "notifications.preferences.changed"
    subject_template: ClassVar[str] = "user/{user_id}"

    user_id: int
    preferences: dict[str, dict[str, bool]]
    changes: dict[str, Any] = {}
