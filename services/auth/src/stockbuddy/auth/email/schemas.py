"""Responses of the e-mail queue."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from stockbuddy.auth.email.model import EmailKind
from stockbuddy.chassis.http.pagination import PageQuery


class EmailFilter(PageQuery):
    """`failed`: true for e-mails that were set aside, false for waiting ones."""

    failed: bool | None = None


class AccountEmailResponse(BaseModel):
    """An e-mail that has not been sent. `last_error`: the reason of the last failure; `failed_at`: when it was set
    aside, null while it waits."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    kind: EmailKind
    recipient: str
    queued_at: datetime
    attempts: int
    next_attempt_at: datetime | None
    last_error: str | None
    failed_at: datetime | None
