"""What an alert says: in English, and as a code with values, from which clients make the text in other languages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from stockbuddy.notifications.email.content import Content

AlertCode = Literal[
    "low_stock",
    "out_of_stock",
    "unusual_activity",
    "import_finished",
    "import_failed",
    "dry_run_finished",
    "dry_run_failed",
    "webhook_failing",
    "webhook_disabled",
    "email_failed",
    "emails_delayed",
    "report_ready",
    "report_failed",
    "report_schedule_paused",
]
"""What the text of an alert says; several may be of one kind."""


@dataclass(frozen=True, slots=True)
class AlertText:
    """`code` says what the text says. `values` are the parts of it that differ: quantities as exact texts."""

    code: AlertCode
    values: Mapping[str, str]
    content: Content
