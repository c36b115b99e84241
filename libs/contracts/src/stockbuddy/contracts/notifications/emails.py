"""Events of the e-mails of notifications."""

from datetime import datetime
from typing import ClassVar

from stockbuddy.contracts.event import Event
from stockbuddy.contracts.personal_data import ADDRESSES, PersonalFields


class NotificationEmailFailed(Event):
    """An e-mail was set aside; it will not be sent. `kind`: of its notifications; `reason`: for an admin, such as
    `550 no such user`."""

    type: ClassVar[str] = "notifications.email.failed"
    subject_template: ClassVar[str] = "email/{message_id}"
    personal = (PersonalFields(ADDRESSES, ("recipient", "reason")),)

    message_id: str
    kind: str
    recipient: str
    attempts: int
    reason: str


class NotificationEmailsDelayed(Event):
    """The SMTP server accepts no e-mail; e-mails wait. Published once per outage. `reason`: for an admin."""

    type: ClassVar[str] = "notifications.email.delayed"
    subject_template: ClassVar[str] = "smtp-server"

    waiting_since: datetime
    reason: str


class NotificationEmailRetried(Event):
    """A user queued a failed e-mail again."""

    type: ClassVar[str] = "notifications.email.retried"
    subject_template: ClassVar[str] = "email/{email_id}"
    personal = (PersonalFields(ADDRESSES, ("recipient",)),)

    email_id: int
    kind: str
    recipient: str
