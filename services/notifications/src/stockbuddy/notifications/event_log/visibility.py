"""Which events a caller may read: those of the resources that the caller may read through the routes.

The feed, the streams and the fan-out to webhooks (which belong to admins) use this table.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import chain

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.notifications.audience import audiences_for
from stockbuddy.notifications.event_log.cloudevents import View
from stockbuddy.notifications.event_log.field_permissions import field_permissions_among
from stockbuddy.notifications.event_log.patterns import ANY_TYPE, matches_any, to_expression

ADDRESSED = (
    "notifications.notification.*",
    "notifications.preferences.*",
    "catalog.job.*",
    "stock.job.*",
    "stock.report.*",
)
"""Events of personal resources: visible to the audience that is their subject."""

REQUIRED: Mapping[Permission, tuple[str, ...]] = {
    Permission.CATALOG_READ: ("catalog.product.*", "catalog.category.*", "catalog.supplier.*"),
    Permission.IMPORT_RUN: ("catalog.import.*",),
    Permission.STOCK_READ: (
        "stock.movement.*",
        "stock.level.*",
        "stock.reservation.*",
        "stock.transfer.*",
        "stock.count.*",
        "stock.warehouse.*",
    ),
    Permission.STOCK_MOVE_ANY: ("stock.activity.*",),
    Permission.SALE_READ: ("stock.sale.*",),
    Permission.CUSTOMER_READ: ("stock.customer.*",),
    Permission.PURCHASE_READ: ("stock.purchase.*",),
    Permission.EXPENSE_READ: ("stock.expense.*",),
    Permission.REORDER_WRITE: ("stock.reorder_rule.*",),
    Permission.WEBHOOK_MANAGE: ("notifications.webhook.*",),
    Permission.ANNOUNCEMENT_WRITE: ("notifications.announcement.*",),
    Permission.SYSTEM_READ: ("notifications.email.*",),
    Permission.AUDIT_READ: (
        "auth.*",
        "notifications.checkpoint.*",
        "notifications.entries.*",
        "stock.report_schedule.*",  # of their owners; they name the recipients
    ),
}
"""The permission to read the events' resources. Types that match none require all of these permissions."""

ADDRESSED_EXPRESSION = to_expression(ADDRESSED)


@dataclass(frozen=True, slots=True)
class Visibility:
    """What one caller may see: event types by pattern, addressed events by audience, and of an event its `view`.
    Client addresses require the same permission as the audit log."""

    types: tuple[str, ...]
    audiences: frozenset[str]
    view: View

    def includes(self, event_type: str, subject: str | None) -> bool:
        if not matches_any(self.types, event_type):
            return False
        return not matches_any(ADDRESSED, event_type) or subject in self.audiences


def visibility_for(caller: Principal) -> Visibility:
    """An API key does not see its owner's personal resources. Without `event.read` one sees only what is addressed to
    oneself."""
    return Visibility(
        types=visible_types(caller.permissions),
        audiences=audiences_for(caller) if caller.is_user_session else frozenset(),
        view=View(caller.may(Permission.AUDIT_READ), field_permissions_among(caller.permissions)),
    )


def visible_types(permissions: Collection[str]) -> tuple[str, ...]:
    """Patterns of the types of events that these permissions allow to see."""
    if Permission.EVENT_READ not in permissions:
        return ADDRESSED
    if all(permission in permissions for permission in REQUIRED):
        return ANY_TYPE
    types = (types for permission, types in REQUIRED.items() if permission in permissions)
    return (*chain.from_iterable(types), *ADDRESSED)
