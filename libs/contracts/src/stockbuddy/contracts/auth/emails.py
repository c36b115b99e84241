"""Events of the e-mails that auth sends to users."""

from datetime import datetime
from typing import ClassVar

from stockbuddy.contracts.event import Event


class EmailFailed(Event):
    """An e-mail was set aside and is not sent unless an admin retries it. `reason`: for an admin, such as
    `550 no such user`."""

    type: ClassVar[str] = "auth.email.failed"
    subject_template: ClassVar[str] = "email/{email_id}"

    email_id: int
    kind: str
    recipient: str
    attempts: int
    reason: str


class EmailsDelayed(Event):
    """The SMTP server accepts no e-mail; e-mails wait. Published once per outage. `reason`: for an admin."""

    type: ClassVar[str] = "auth.email.delayed"
    subject_template: ClassVar[str] = "smtp-server"

    waiting_since: datetime
    reason: str
