"""Notifications as clients see and send them."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator

from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.fields import Id, RequestBody, text
from stockbuddy.chassis.http.pagination import Page, PageQuery
from stockbuddy.notifications.alert_text import AlertCode
from stockbuddy.notifications.audience import EVERYONE, find_role, find_user_id, role_audience, user_audience
from stockbuddy.notifications.inapp.model import Notification
from stockbuddy.notifications.kinds import Kind


class NotificationFilter(PageQuery):
    unread: bool | None = Field(None, description="true: only unread ones; false: only read ones.")
    kind: Kind | None = None


class NotificationResponse(BaseModel):
    """Addressed to `user_id`, to `role`, or, if both are null, to everyone. `is_read` and `read_at` are the
    caller's."""

    id: int
    kind: Kind
    title: str
    body: str
    subject: str | None = Field(description="Subject of the event that caused it: `product/42`.")
    code: AlertCode | None = Field(
        description="What title and body say, for clients in other languages; null: an announcement, or a"
        " notification of an earlier release."
    )
    values: dict[str, str] = Field(
        description="What title and body name, by name, such as `product`, `warehouse`, `on_hand`: numbers as"
        " decimal texts, times in UTC. Empty if `code` is null."
    )
    user_id: int | None
    role: Role | None
    is_read: bool
    read_at: datetime | None
    created_at: datetime

    @classmethod
    def from_model(cls, notification: Notification, read_at: datetime | None = None) -> Self:
        return cls.model_validate(
            {
                "id": notification.id,
                "kind": notification.kind,
                "title": notification.title,
                "body": notification.body,
                "subject": notification.about_subject,
                "code": notification.text_code,
                "values": notification.text_values,
                "user_id": find_user_id(notification.audience),
                "role": find_role(notification.audience),
                "is_read": read_at is not None,
                "read_at": read_at,
                "created_at": notification.created_at,
            }
        )


class NotificationPage(Page[NotificationResponse]):
    """`unread_count` counts all unread notifications of the caller, whatever the filters."""

    unread_count: int


class NotificationCreate(RequestBody):
    """Addressed to a user or to a role; without either, to everyone."""

    title: Annotated[str, text(200)]
    body: Annotated[str, text(5000, min_length=0)] = ""
    kind: Kind = "announcement"
    user_id: Id | None = None
    role: Role | None = None

    @model_validator(mode="after")
    def reject_two_audiences(self) -> Self:
        if self.user_id is not None and self.role is not None:
            raise ValueError("user_id and role exclude each other")
        return self

    @property
    def audience(self) -> str:
        if self.user_id is not None:
            return user_audience(self.user_id)
        return role_audience(self.role) if self.role is not None else EVERYONE


class MarkAllReadResponse(BaseModel):
    """`read`: how many were unread."""

    read: int
