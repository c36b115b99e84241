"""The texts of e-mails."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid, parseaddr

from stockbuddy.auth.email.model import QueuedEmail

_RESET = """\
Hello {name},

a password reset was requested for your account at {company}.

{instructions}

This works once, within {minutes} minutes. If you did not request it, ignore this e-mail: your password does not change.
"""

_RESET_BY_LINK = """\
Choose a new password here:

{link}"""

_RESET_BY_TOKEN = """\
Your reset token is:

{token}

Enter it in the application, or POST it to /api/v1/auth/password/reset as
{{"token": "...", "new_password": "...", "confirm_password": "..."}}."""

_PASSWORD_CHANGED = """\
Hello,

the password of your account at {company} was changed, and all its sessions were logged out.
If you did not do this, request a new password now and inform an admin.
"""

_EMAIL_CHANGED = """\
Hello,

the e-mail address of your account at {company} was changed; this was the old address.
If you did not do this, inform an admin now.
"""


def password_changed_text(company: str) -> str:
    return _PASSWORD_CHANGED.format(company=company)


def email_changed_text(company: str) -> str:
    return _EMAIL_CHANGED.format(company=company)


def reset_text(*, name: str, company: str, token: str, link: str | None, minutes: int) -> str:
    """`link`: a URL with `{token}` in it; without one the text contains the token itself."""
    if link:
        instructions = _RESET_BY_LINK.format(link=link.replace("{token}", token))
    else:
        instructions = _RESET_BY_TOKEN.format(token=token)
    return _RESET.format(name=name, company=company, instructions=instructions, minutes=minutes)


def build_message(queued: QueuedEmail, *, sender: str, subject: str, text: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = Address(addr_spec=queued.recipient)
    # A line break in a header would start another header (injection).
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(queued.queued_at)
    message["Message-ID"] = make_msgid(domain=parseaddr(sender)[1].rpartition("@")[2] or "localhost")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message
