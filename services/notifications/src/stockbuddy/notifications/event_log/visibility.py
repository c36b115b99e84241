"""Which events a caller may read.

Managers and admins read every event except notifications addressed to others. Salespeople read events of what they may
read in the API: catalogue, stock, sales and customers, but not purchases, expenses, imports or users.
A notification is visible to its audience only.
"""

from dataclasses import dataclass

from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.notifications.audience import audiences_for
from stockbuddy.notifications.event_log.patterns import ANY_TYPE, matches_any, to_expression

ADDRESSED = ("notifications.notification.*",)
"""Events for an audience, which is their subject."""

_SALESPERSON = (
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
)


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


ADDRESSED_EXPRESSION = to_expression(ADDRESSED)


def visibility_for(caller: Principal) -> Visibility:
    return Visibility(
        types=ANY_TYPE if caller.is_manager else _SALESPERSON,
        audiences=audiences_for(caller),
        with_client_ip=caller.is_admin,
    )
