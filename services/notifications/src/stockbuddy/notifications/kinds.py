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
    event names the recipient. With `alert_emails` it is also sent to the alert addresses of the system settings."""

    roles: tuple[Role, ...] = ()
    in_app: bool = True
    email: bool = False
    alert_emails: bool = False


DEFAULT_CHANNELS: dict[Kind, ChannelDefaults] = {
    "low_stock": ChannelDefaults(roles=(Role.MANAGER, Role.ADMIN), email=True, alert_emails=True),
    "out_of_stock": ChannelDefaults(roles=(Role.MANAGER, Role.ADMIN), email=True, alert_emails=True),
    "unusual_activity": ChannelDefaults(roles=(Role.MANAGER, Role.ADMIN), alert_emails=True),
    "import_finished": ChannelDefaults(),
    "webhook_failing": ChannelDefaults(roles=(Role.ADMIN,), email=True),
    "webhook_disabled": ChannelDefaults(roles=(Role.ADMIN,)),
    "email_failed": ChannelDefaults(roles=(Role.ADMIN,)),
    "report_ready": ChannelDefaults(email=True),
    "report_failed": ChannelDefaults(email=True),
    "announcement": ChannelDefaults(),
}
