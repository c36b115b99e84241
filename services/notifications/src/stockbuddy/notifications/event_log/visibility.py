"""Which events a caller may read: those of the resources that the caller may read through the routes.

The feed, the streams and the fan-out to webhooks (which belong to admins) use this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from stockbuddy.chassis.http.tokens import Principal, Role
from stockbuddy.notifications.audience import audiences_for
from stockbuddy.notifications.event_log.patterns import ANY_TYPE, matches_any, to_expression

ADDRESSED = ("notifications.notification.*", "notifications.preferences.*")
"""Events of personal resources: visible to the audience that is their subject."""

REQUIRED_ROLES: Mapping[Role, tuple[str, ...]] = {
    Role.SALESPERSON: (
        "catalog.product.*",
        "catalog.category.*",
        "catalog.supplier.*",
        "stock.movement.*",
        "stock.level.*",
        "stock.reservation.*",
        "stock.transfer.*",
        "stock.sale.*",
        "stock.count.*",
        "stock.warehouse.*",
        "stock.customer.*",
        *ADDRESSED,
    ),
    Role.MANAGER: (
        "catalog.import.*",
        "stock.purchase.*",
        "stock.expense.*",
        "stock.reorder_rule.*",
        "stock.activity.*",
    ),
    Role.ADMIN: ("auth.*", "notifications.webhook.*", "notifications.announcement.*", "notifications.email.*"),
}
"""The lowest role that may read the events' resources. Types that match none are for admins."""

ADDRESSED_EXPRESSION = to_expression(ADDRESSED)


@dataclass(frozen=True, slots=True)
class Visibility:
    """What one caller may see: event types by pattern, addressed events by audience. `with_client_ip`: client
    addresses are visible to admins only, as in the audit trail."""

    types: tuple[str, ...]
    audiences: frozenset[str]
    with_client_ip: bool

    def includes(self, event_type: str, subject: str | None) -> bool:
        if not matches_any(self.types, event_type):
            return False
        return not matches_any(ADDRESSED, event_type) or subject in self.audiences


def visibility_for(caller: Principal) -> Visibility:
    """An API key does not see its owner's personal resources."""
    types: tuple[str, ...] = ANY_TYPE
    if not caller.is_admin:
        types = REQUIRED_ROLES[Role.SALESPERSON] + (REQUIRED_ROLES[Role.MANAGER] if caller.is_manager else ())
    return Visibility(
        types=types,
        audiences=audiences_for(caller) if caller.is_user_session else frozenset(),
        with_client_ip=caller.is_admin,
    )
