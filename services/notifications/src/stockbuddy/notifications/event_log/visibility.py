"""Who may read which events: the table of api.md §1, turned to event types.

Managers and admins read everything that is not somebody else's mail. Salespeople read what they may read in the API:
the catalogue, the stock, sales and customers; not purchases, expenses, imports, or what auth knows of people.
A notification is read by those it is addressed to, whoever they are.
"""

from dataclasses import dataclass

from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.notifications.audience import heard_by
from stockbuddy.notifications.event_log.patterns import (
    ANY_TYPE,
    expression_of,
    matches_any,
)

ADDRESSED = ("notifications.notification.*",)
"""Events for some people only; their subject is the audience."""

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
    """What one caller sees: types by pattern, and of the addressed ones those with one of `audiences` as subject.
    Addresses of the network that changes came from are shown to admins only, as in the audit trail."""

    types: tuple[str, ...]
    audiences: frozenset[str]
    with_client_ip: bool

    def includes(self, event_type: str, subject: str | None) -> bool:
        if not matches_any(self.types, event_type):
            return False
        return not matches_any(ADDRESSED, event_type) or subject in self.audiences


ADDRESSED_EXPRESSION = expression_of(ADDRESSED)


def visibility_of(caller: Principal) -> Visibility:
    return Visibility(
        types=ANY_TYPE if caller.is_manager else _SALESPERSON,
        audiences=heard_by(caller),
        with_client_ip=caller.is_admin,
    )
