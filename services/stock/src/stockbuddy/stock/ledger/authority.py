"""The authority of a posting: its purpose, and what its caller may do. ADR 14 has the table of effects."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from stockbuddy.chassis.http.errors import Forbidden
from stockbuddy.chassis.http.tokens import Principal


class Purpose(StrEnum):
    """What a posting does, in terms of permissions."""

    MOVEMENT = "movement"
    """Any change of stock: of one's own products, or by a manager."""
    SALE = "sale"
    """Sales and their returns: by every salesperson."""
    RESERVATION = "reservation"
    """Reserved quantities only: by every salesperson."""
    PURCHASE = "purchase"
    """Receipts of purchase orders: by managers."""


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
    """Raises Forbidden for a purchase by a salesperson."""
    if caller.is_manager:
        return Authority(purpose, warehouse_ids=caller.warehouse_ids)
    if purpose is Purpose.PURCHASE:
        raise Forbidden("Only managers and admins may do this.")
    return Authority(purpose, caller.user_id, caller.warehouse_ids, max_reserved_share)
