"""Events of in-app notifications, announcements and preferences."""

from datetime import datetime
from typing import Any, ClassVar

from stockbuddy.contracts.event import Event
from stockbuddy.contracts.personal_data import PersonalFields


class NotificationCreated(Event):
    """A notification was created. `audience` is `user/5`, `role/manager` or `everyone`; other users may not see it.
    `about_subject` is the subject of the event that caused it, if any."""

    type: ClassVar[str] = "notifications.notification.created"
    subject_template: ClassVar[str] = "{audience}"
    personal = (PersonalFields("notification/{notification_id}", ("title", "body")),)

    notification_id: int
    audience: str
    kind: str
    title: str
    body: str
    about_subject: str | None = None
    created_at: datetime


class NotificationsRead(Event):
    """A user marked notifications as read or unread."""

    type: ClassVar[str] = "notifications.notification.read"
    subject_template: ClassVar[str] = "user/{user_id}"

    user_id: int
    notification_ids: list[int]
    unread: bool = False


class AnnouncementPublished(Event):
    """A user published an announcement, stored as notification `notification_id` with its `audience`."""

    type: ClassVar[str] = "notifications.announcement.published"
    subject_template: ClassVar[str] = "notification/{notification_id}"
    personal = (PersonalFields("notification/{notification_id}", ("title", "body")),)

    notification_id: int
    audience: str
    kind: str
    title: str
    body: str


class PreferencesChanged(Event):
    """A user's channel preferences per notification kind: in-app and e-mail."""

    type: ClassVar[str] = "notifications.preferences.changed"
    subject_template: ClassVar[str] = "user/{user_id}"

    user_id: int
    preferences: dict[str, dict[str, bool]]
    changes: dict[str, Any] = {}
