"""Says what was missing: every level that a posting takes too much from, its lines summed."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from stockbuddy.contracts.numbers import quantity_number
from stockbuddy.stock.errors import InsufficientStock
from stockbuddy.stock.ledger.locked_level import Level
from stockbuddy.stock.ledger.postings import ZERO, Entry, LevelKey, Shortage


def insufficient_stock(entries: Sequence[Entry], levels: Mapping[LevelKey, Level]) -> InsufficientStock:
    """The refusal of entries that do not all fit `levels`, which are as they were before the first of them."""
    requested: dict[LevelKey, Decimal] = {}
    short: set[LevelKey] = set()
    running: dict[LevelKey, Level] = {}
    for entry in entries:
        level = running.setdefault(entry.level, levels[entry.level].copy())
        change = level.change_of(entry)
        if not level.can_give(change, entry.reserved):
            short.add(entry.level)
        level.on_hand += change
        level.reserved += entry.reserved
        taken = max(-change, entry.reserved, ZERO)
        requested[entry.level] = requested.get(entry.level, ZERO) + taken
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
