"""Kinds of notifications, the roles that receive them, and their default channels."""

from dataclasses import dataclass
from typing import Literal, get_args

from stockbuddy.chassis.access.roles import Role

Kind = Literal[
    "low_stock",
    "out_of_stock",
    "unusual_activity",
    "import_finished",
    "webhook_failing",
    "webhook_disabled",
    "email_failed",
    "report_ready",
    "report_failed",
    "announcement",
]

KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class ChannelDefaults:
    """Defaults of a kind; channel preferences of users override `in_app` and `email`. `roles` receive it, none if its
    event names the recipient. With `alert_emails` it is also sent to the alert addresses of the system settings.
    `email_interval_seconds`: the least time between two e-mails of the kind to a recipient, because users can cause its
    events as often as they like; the second one has all that happened meanwhile. `latest_only`: an e-mail that waits is
    replaced by a later one about the same page."""

    roles: tuple[Role, ...] = ()
    in_app: bool = True
    email: bool = False
    alert_emails: bool = False
    email_interval_seconds: int = 0
    latest_only: bool = False


EMAIL_INTERVAL_SECONDS = 300

_LEVEL_ALERT = ChannelDefaults(
    roles=(Role.MANAGER, Role.ADMIN), email=True, alert_emails=True, email_interval_seconds=EMAIL_INTERVAL_SECONDS
)

DEFAULT_CHANNELS: dict[Kind, ChannelDefaults] = {
    "low_stock": _LEVEL_ALERT,
    "out_of_stock": _LEVEL_ALERT,
    "unusual_activity": ChannelDefaults(roles=(Role.MANAGER, Role.ADMIN), alert_emails=True),
    "import_finished": ChannelDefaults(),
    "webhook_failing": ChannelDefaults(roles=(Role.ADMIN,), email=True),
    "webhook_disabled": ChannelDefaults(roles=(Role.ADMIN,)),
    "email_failed": ChannelDefaults(roles=(Role.ADMIN,)),
    "report_ready": ChannelDefaults(email=True, email_interval_seconds=EMAIL_INTERVAL_SECONDS, latest_only=True),
    "report_failed": ChannelDefaults(email=True, email_interval_seconds=EMAIL_INTERVAL_SECONDS),
    "announcement": ChannelDefaults(),
}
