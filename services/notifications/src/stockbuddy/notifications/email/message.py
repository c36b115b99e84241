"""Renders an e-mail: plain text and HTML from templates, with headers that prevent automatic replies (RFC 3834)."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from stockbuddy.notifications.email.queries import QueuedEmail

MAX_SUBJECT_LENGTH = 150

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(("html",)),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def compose_message(email: QueuedEmail, *, sender: str, company: str) -> EmailMessage:
    """Raises ValueError if the recipient is not an address."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = Address(addr_spec=email.recipient)
    message["Subject"] = _subject(email, company)
    message["Date"] = format_datetime(email.queued_at)
    message["Message-ID"] = email.message_id
    message["Auto-Submitted"] = "auto-generated"
    context = {"contents": email.contents, "company": company, "kind": email.kind}
    message.set_content(_templates.get_template("notification.txt").render(context))
    message.add_alternative(_templates.get_template("notification.html").render(context), subtype="html")
    return message


def _subject(email: QueuedEmail, company: str) -> str:
    title = email.contents[0].title
    others = len(email.contents) - 1
    text = f"[{company}] {title}" + (f" (and {others} more)" if others else "")
    # A line break would start another header (header injection).
    return " ".join(text.split())[:MAX_SUBJECT_LENGTH]
