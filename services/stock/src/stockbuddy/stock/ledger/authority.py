"""The authority of a posting: its purpose, and what its caller may do. ADR 14 has the table of effects."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.tokens import Principal


class Purpose(StrEnum):
    """What a posting does, in terms of permissions."""

    MOVEMENT = "movement"
    """Any change of stock: of one's own products, or with `stock.move_any`."""
    SALE = "sale"
    """Sales and their returns: of all products."""
    RESERVATION = "reservation"
    """Reserved quantities only: of all products."""
    PURCHASE = "purchase"
    """Receipts of purchase orders: of all products."""


@dataclass(frozen=True, slots=True)
class Authority:
    """None means: without this limit.

    - `owner_id`: movements of this user's products only.
    - `warehouse_ids`: changes in these warehouses only.
    - `max_reserved_share`: the largest share of a level, of a product of another owner, that is reserved after a
      reservation.
    """

    purpose: Purpose
    owner_id: int | None = None
    warehouse_ids: frozenset[int] | None = None
    max_reserved_share: Decimal | None = None


def authority_of(caller: Principal, purpose: Purpose, *, max_reserved_share: Decimal | None = None) -> Authority:
    """That the caller may post for this purpose at all is the permission of the route."""
    return Authority(
        purpose,
        owner_id=None if caller.may(Permission.STOCK_MOVE_ANY) else caller.user_id,
        warehouse_ids=caller.warehouse_ids,
        max_reserved_share=None if caller.may(Permission.RESERVATION_RELEASE_ANY) else max_reserved_share,
    )
