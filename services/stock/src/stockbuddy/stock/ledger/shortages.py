"""Reports insufficient stock: every level that lacks stock for a posting, with its lines summed."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from stockbuddy.contracts.numbers import quantity_number
from stockbuddy.stock.errors import InsufficientStock
from stockbuddy.stock.ledger.costing import ZERO
from stockbuddy.stock.ledger.locked_level import LockedLevel
from stockbuddy.stock.ledger.postings import Entry, LevelKey, Shortage


def insufficient_stock(entries: Sequence[Entry], levels: Mapping[LevelKey, LockedLevel]) -> InsufficientStock:
    """`levels`: as they were before the first entry."""
    requested: dict[LevelKey, Decimal] = {}
    short: set[LevelKey] = set()
    running: dict[LevelKey, LockedLevel] = {}
    for entry in entries:
        level = running.setdefault(entry.level, levels[entry.level].copy())
        delta = level.delta_for(entry)
        if not level.allows(delta, entry.reserved):
            short.add(entry.level)
        level.on_hand += delta
        level.reserved += entry.reserved
        requested[entry.level] = requested.get(entry.level, ZERO) + max(-delta, entry.reserved, ZERO)
    return InsufficientStock([
        shortage_body(Shortage(key, levels[key].sku, requested[key], levels[key].available)) for key in sorted(short)
    ])  # fmt: skip


def shortage_body(shortage: Shortage) -> dict[str, Any]:
    return {
        "product_id": shortage.level.product_id,
        "sku": shortage.sku,
        "warehouse_id": shortage.level.warehouse_id,
        "lot": shortage.level.lot,
        "requested": quantity_number(shortage.requested),
        "available": quantity_number(shortage.available),
    }
