"""Events of the e-mails that auth sends to users."""

from datetime import datetime
from typing import ClassVar

from stockbuddy.contracts.event import Event
from stockbuddy.contracts.personal_data import PersonalFields


class EmailFailed(Event):
    """An e-mail was set aside and is not sent unless an admin retries it. `reason`: for an admin, such as
    `550 no such user`; `user_id`: whose address it is, if it is a user's."""

    type: ClassVar[str] = "auth.email.failed"
    subject_template: ClassVar[str] = "email/{email_id}"
    personal = (PersonalFields("user/{user_id}", ("recipient", "reason")),)

    email_id: int
    kind: str
    recipient: str
    user_id: int | None = None
    attempts: int
    reason: str


class EmailsDelayed(Event):
    """The SMTP server accepts no e-mail; e-mails wait. Published once per outage. `reason`: for an admin."""

    type: ClassVar[str] = "auth.email.delayed"
    subject_template: ClassVar[str] = "smtp-server"

    waiting_since: datetime
    reason: str
