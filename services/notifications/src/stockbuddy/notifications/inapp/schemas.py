"""Notifications as clients see and send them."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from stockbuddy.chassis.http.tokens import Role
from stockbuddy.chassis.http.pagination import Page
from stockbuddy.notifications.audience import EVERYONE, of_role, of_user
from stockbuddy.notifications.fields import TEXT, Id
from stockbuddy.notifications.kinds import Kind


class NotificationView(BaseModel):
    """`user_id` or `role` say whom it is for; both null: everyone. `is_read` and `read_at` are the caller's own."""

    id: int
    kind: Kind
    title: str
    body: str
    subject: str | None = Field(description="What it is about, as the subject of events: `product/42`.")
    user_id: int | None
    role: Role | None
    is_read: bool
    read_at: datetime | None
    created_at: datetime


class NotificationPage(Page[NotificationView]):
    """`unread_count` counts all of the caller's unread ones, whatever the filters."""

    unread_count: int


class MakeNotification(BaseModel):
    """To a user, to a role, or, without either, to everyone."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=TEXT)]
    body: Annotated[str, StringConstraints(strip_whitespace=True, max_length=5000, pattern=TEXT)] = ""
    kind: Kind = "announcement"
    user_id: Id | None = None
    role: Role | None = None

    @model_validator(mode="after")
    def refuse_two_audiences(self) -> Self:
        if self.user_id is not None and self.role is not None:
            raise ValueError("user_id and role exclude each other")
        return self

    @property
    def audience(self) -> str:
        if self.user_id is not None:
            return of_user(self.user_id)
        return of_role(self.role) if self.role is not None else EVERYONE


class ReadAll(BaseModel):
    """How many were unread."""

    read: int
