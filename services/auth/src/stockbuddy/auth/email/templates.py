"""The texts of e-mails.

They contain nothing that a user entered, such as a name: an attacker could register a stranger's address and have us
deliver a text to it.
"""

from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr

from stockbuddy.auth.email.model import QueuedEmail
from stockbuddy.chassis.smtp import create_message, mailbox

_RESET = """\
Hello,

a password reset was requested for your account at {company}.

{instructions}

This works once, within {minutes} minutes. If you did not request it, ignore this e-mail: your password does not change.
"""

_RESET_BY_LINK = """\
Choose a new password here:

{link}"""

_RESET_ON_PAGE = """\
Choose a new password here:

{link}

In another application enter this token, or POST it to /api/v1/auth/password/reset as
{{"token": "...", "new_password": "...", "confirm_password": "..."}}:

{token}"""

_CONFIRMATION = """\
Hello,

this address was entered for an account at {company}.

{instructions}

This works once, within {hours} hours. If you did not enter it, ignore this e-mail.
"""

_CONFIRMATION_BY_LINK = """\
Confirm it here:

{link}"""

_CONFIRMATION_ON_PAGE = """\
Confirm it here:

{link}

In another application enter this token, or POST it to /api/v1/auth/email/confirm as {{"token": "..."}}:

{token}"""

_EMAIL_CHANGE_REQUESTED = """\
Hello,

a new e-mail address was entered for your account at {company}, with your password. It replaces this one when it is
confirmed. If you did not do this, change your password now, which cancels the change, and inform an admin.
"""

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


_FACTORS_CHANGED = """\
Hello,

a second factor (an authenticator app or a passkey) of your account at {company} was added or removed.
If you did not do this, change your password now and inform an admin.
"""

_PASSKEY_DISABLED = """\
Hello,

a passkey of your account at {company} was used by two devices that do not know of each other: it may have been copied.
It is refused from now on. Log in with another second factor or a recovery code, remove it and register a new one.
"""

_RECOVERY_CODE_USED = """\
Hello,

a recovery code was used in place of the second factor of your account at {company}.
If you did not do this, change your password now and inform an admin.
"""


def factors_changed_text(company: str) -> str:
    return _FACTORS_CHANGED.format(company=company)


def passkey_disabled_text(company: str) -> str:
    return _PASSKEY_DISABLED.format(company=company)


def recovery_code_used_text(company: str) -> str:
    return _RECOVERY_CODE_USED.format(company=company)


def password_changed_text(company: str) -> str:
    return _PASSWORD_CHANGED.format(company=company)


def email_changed_text(company: str) -> str:
    return _EMAIL_CHANGED.format(company=company)


def email_change_requested_text(company: str) -> str:
    return _EMAIL_CHANGE_REQUESTED.format(company=company)


@dataclass(frozen=True, slots=True)
class TokenPage:
    """`url`: with `{token}` in it. `is_own`: the console's page; its e-mail has the token, too, for other clients."""

    url: str
    is_own: bool

    def instructions(self, by_link: str, on_page: str, token: str) -> str:
        template = on_page if self.is_own else by_link
        return template.format(link=self.url.replace("{token}", token), token=token)


def reset_text(*, company: str, token: str, page: TokenPage, minutes: int) -> str:
    instructions = page.instructions(_RESET_BY_LINK, _RESET_ON_PAGE, token)
    return _RESET.format(company=company, instructions=instructions, minutes=minutes)


def confirmation_text(*, company: str, token: str, page: TokenPage, hours: int) -> str:
    instructions = page.instructions(_CONFIRMATION_BY_LINK, _CONFIRMATION_ON_PAGE, token)
    return _CONFIRMATION.format(company=company, instructions=instructions, hours=hours)


def build_message(queued: QueuedEmail, *, sender: str, subject: str, text: str) -> EmailMessage:
    """Raises ValueError if the recipient's address is not valid."""
    message = create_message(sender=sender, recipient=queued.recipient, subject=subject)
    message["Date"] = format_datetime(queued.queued_at)
    message["Message-ID"] = make_msgid(domain=mailbox(parseaddr(sender)[1]).domain)
    message.set_content(text)
    return message
