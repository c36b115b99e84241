"""The queue of e-mails as admins see it."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from stockbuddy.chassis.http.pagination import PageQuery
from stockbuddy.notifications.email.model import EmailState


class EmailFilter(PageQuery):
    state: EmailState | None = None


class NotificationEmailResponse(BaseModel):
    """`last_error`: why the latest attempt failed. A `failed` e-mail is not sent again unless an admin retries it."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    kind: str
    recipient: str
    state: EmailState
    attempts: int
    next_attempt_at: datetime
    last_error: str | None
    created_at: datetime
    finished_at: datetime | None
