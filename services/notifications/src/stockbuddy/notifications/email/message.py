"""Renders an e-mail: plain text and HTML from templates."""

from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from stockbuddy.chassis.smtp import create_message
from stockbuddy.notifications.email.content import Content
from stockbuddy.notifications.email.languages import FRAMES, Frame
from stockbuddy.notifications.email.queries import LeasedEmail

MAX_SUBJECT_LENGTH = 150

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(("html",)),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def compose_message(email: LeasedEmail, *, sender: str, company: str, public_url: str) -> EmailMessage:
    """`public_url`: where the console is. Raises ValueError if the recipient is not an address."""
    contents = [Content.from_json(document) for document in email.documents]
    frame = FRAMES[email.language]
    message = create_message(sender=sender, recipient=email.recipient, subject=_subject(contents, company, frame))
    message["Date"] = format_datetime(email.queued_at)
    message["Message-ID"] = email.message_id
    links = [path and public_url.rstrip("/") + path for path in email.paths]
    context = {
        "parts": list(zip(contents, links, strict=True)),
        "frame": frame,
        "language": email.language,
        "company": company,
        "kind": email.kind,
    }
    message.set_content(_templates.get_template("notification.txt").render(context))
    message.add_alternative(_templates.get_template("notification.html").render(context), subtype="html")
    return message


def _subject(contents: list[Content], company: str, frame: Frame) -> str:
    others = len(contents) - 1
    text = f"[{company}] {contents[0].title}" + (frame.others.format(count=others) if others else "")
    return " ".join(text.split())[:MAX_SUBJECT_LENGTH]
