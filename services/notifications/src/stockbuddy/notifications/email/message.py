"""Lays a mail out: plain text and HTML from templates, with the headers that tell robots not to answer."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from stockbuddy.notifications.email.queries import QueuedMail

LONGEST_SUBJECT = 150

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(("html",)),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def compose(mail: QueuedMail, *, sender: str, company: str) -> EmailMessage:
    """Raises ValueError for a recipient that is no address."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = Address(addr_spec=mail.recipient)
    message["Subject"] = _subject(mail, company)
    message["Date"] = format_datetime(mail.queued_at)
    message["Message-ID"] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"
    context = {"contents": mail.contents, "company": company, "kind": mail.kind}
    message.set_content(_templates.get_template("told.txt").render(context))
    message.add_alternative(_templates.get_template("told.html").render(context), subtype="html")
    return message


def _subject(mail: QueuedMail, company: str) -> str:
    title = mail.contents[0].title
    others = len(mail.contents) - 1
    text = f"[{company}] {title}" + (f" (and {others} more)" if others else "")
    # A line break in a header would begin another header.
    return " ".join(text.split())[:LONGEST_SUBJECT]
