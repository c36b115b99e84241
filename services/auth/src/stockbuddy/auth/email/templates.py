"""What the letters say."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid, parseaddr

from stockbuddy.auth.email.model import Letter

RESET = """\
Hello {name},

somebody, hopefully you, asked for a new password for your account at {company}.

{way}

This works once, within {minutes} minutes. If it was not you, do nothing: your password stays as it is.
"""

RESET_BY_LINK = """\
Choose a new password here:

{link}"""

RESET_BY_TOKEN = """\
Your reset token is:

{token}

Give it to the application, or POST it to /api/v1/auth/password/reset as
{{"token": "...", "new_password": "...", "confirm_password": "..."}}."""

PASSWORD_CHANGED = """\
Hello,

the password of your account at {company} has just been changed, and every session of it has ended.
If it was not you, ask for a new password at once, and tell an admin.
"""

EMAIL_CHANGED = """\
Hello,

the e-mail address of your account at {company} has just been changed; this was the old one.
If it was not you, tell an admin at once.
"""


def reset_text(*, name: str, company: str, token: str, link: str | None, minutes: int) -> str:
    way = RESET_BY_LINK.format(link=link.replace("{token}", token)) if link else RESET_BY_TOKEN.format(token=token)
    return RESET.format(name=name, company=company, way=way, minutes=minutes)


def message_of(letter: Letter, *, sender: str, subject: str, text: str) -> EmailMessage:
    """Ready to be sent."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = Address(addr_spec=letter.recipient)
    # A line break in a header would begin another header.
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(letter.written_at)
    message["Message-ID"] = make_msgid(domain=parseaddr(sender)[1].rpartition("@")[2] or "localhost")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message
