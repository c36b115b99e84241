"""Compares an entry with the authority of its posting where it takes effect: in the ledger, under the level's lock."""

from collections.abc import Mapping
from decimal import ROUND_CEILING

from stockbuddy.chassis.http.errors import Problem
from stockbuddy.stock.errors import ProductForbidden, ReservedShareExceeded, WarehouseForbidden
from stockbuddy.stock.ledger.authority import Authority, Purpose
from stockbuddy.stock.ledger.costing import ZERO
from stockbuddy.stock.ledger.locked_level import LockedLevel
from stockbuddy.stock.ledger.movement_types import MovementType
from stockbuddy.stock.ledger.postings import Entry

_MOVEMENT_TYPES: Mapping[Purpose, frozenset[MovementType]] = {
    Purpose.MOVEMENT: frozenset(MovementType),
    Purpose.SALE: frozenset({MovementType.SALE, MovementType.RETURN}),
    Purpose.RESERVATION: frozenset(),
    Purpose.PURCHASE: frozenset({MovementType.PURCHASE}),
}


def find_refusal(authority: Authority, entry: Entry, level: LockedLevel) -> Problem | None:
    """The problem of an entry that the caller has no permission for; None if it is allowed.
    Raises ValueError if the entry does not belong to the purpose of its posting."""
    if entry.on_hand == ZERO and entry.reserved == ZERO and entry.set_to is None:
        return None
    if entry.movement_type is not None and entry.movement_type not in _MOVEMENT_TYPES[authority.purpose]:
        raise ValueError(f"a {authority.purpose} cannot post {entry.movement_type}")
    if authority.warehouse_ids is not None and level.key.warehouse_id not in authority.warehouse_ids:
        return WarehouseForbidden()
    if authority.owner_id is None or level.owner_id == authority.owner_id:
        return None
    return ProductForbidden() if authority.purpose is Purpose.MOVEMENT else None


def find_share_refusal(authority: Authority, entry: Entry, level: LockedLevel) -> Problem | None:
    """The problem of a reservation after which too large a share of the level would be reserved. The share is rounded
    up to whole units, so that the last one can be reserved."""
    share = authority.max_reserved_share
    if share is None or entry.reserved <= ZERO or level.allows_negative or level.owner_id == authority.owner_id:
        return None
    limit = (level.on_hand * share).to_integral_value(ROUND_CEILING)
    return ReservedShareExceeded(share) if level.reserved + entry.reserved > limit else None
