"""The kinds of things we tell people, who hears of them, and how, unless they wish otherwise."""

from dataclasses import dataclass
from typing import Literal, get_args

from stockbuddy.chassis.http.tokens import Role

Kind = Literal["low_stock", "out_of_stock", "unusual_activity", "import_finished", "webhook_disabled", "announcement"]

KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Habit:
    """What holds for a kind until a user says otherwise. `roles` are told; none where the event names the person.
    `by_alert_emails` also mails the addresses of the settings."""

    roles: tuple[Role, ...] = ()
    in_app: bool = True
    email: bool = False
    by_alert_emails: bool = False


HABITS: dict[Kind, Habit] = {
    "low_stock": Habit(roles=(Role.MANAGER, Role.ADMIN), email=True, by_alert_emails=True),
    "out_of_stock": Habit(roles=(Role.MANAGER, Role.ADMIN), email=True, by_alert_emails=True),
    "unusual_activity": Habit(roles=(Role.MANAGER, Role.ADMIN), by_alert_emails=True),
    "import_finished": Habit(),
    "webhook_disabled": Habit(roles=(Role.ADMIN,)),
    "announcement": Habit(),
}
