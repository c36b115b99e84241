"""The levels as a transaction has locked them, and their arithmetic: whether an entry fits, and what it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from stockbuddy.stock.ledger.anomaly import Habit
from stockbuddy.stock.ledger.costing import average_after, average_without
from stockbuddy.stock.ledger.postings import ZERO, Entry, LevelKey

LIMIT = Decimal(5) * 10**11
"""However a level changes below it, the change still fits a Quantity, which is what everybody reads it as."""


@dataclass(slots=True)
class Level:
    """A locked level. `allows_negative` is the policy of its warehouse as it stands now that the lock is held,
    `is_open` false when the warehouse has been deleted."""

    key: LevelKey
    sku: str
    threshold: Decimal
    cost_price: Decimal | None
    on_hand: Decimal
    reserved: Decimal
    version: int
    average_cost: Decimal | None
    is_low: bool
    is_depleted: bool
    taken: Habit
    added: Habit
    allows_negative: bool = False
    is_open: bool = True

    def copy(self) -> Level:
        return Level(
            self.key, self.sku, self.threshold, self.cost_price, self.on_hand, self.reserved, self.version,
            self.average_cost, self.is_low, self.is_depleted, self.taken, self.added, self.allows_negative,
            self.is_open,
        )  # fmt: skip

    @property
    def available(self) -> Decimal:
        return self.on_hand - self.reserved

    @property
    def overdrawn(self) -> bool:
        return self.on_hand < self.reserved

    def change_of(self, entry: Entry) -> Decimal:
        """What `entry` changes `on_hand` by."""
        return entry.on_hand if entry.set_to is None else entry.set_to - self.on_hand

    def can_give(self, on_hand_change: Decimal, reserved_change: Decimal) -> bool:
        """Nothing that takes may leave less than nothing, or less than is reserved; what gives always may."""
        if self.allows_negative:
            return True
        if on_hand_change < 0 and self.on_hand + on_hand_change < 0:
            return False
        takes_availability = on_hand_change < reserved_change
        return not takes_availability or self.available + on_hand_change - reserved_change >= 0

    def cost_of(self, entry: Entry) -> Decimal | None:
        """What a unit of the entry costs: as told, or the average, or the product's own cost price."""
        if entry.unit_cost is not None:
            return entry.unit_cost
        return self.average_cost if self.average_cost is not None else self.cost_price

    def take_in(self, entry: Entry, change: Decimal, unit_cost: Decimal | None) -> None:
        """The level after the entry."""
        if change < 0 and entry.reverses_id is not None and entry.unit_cost is not None:
            self.average_cost = average_without(self.on_hand, self.average_cost, -change, entry.unit_cost)
        else:
            self.average_cost = average_after(self.on_hand, self.average_cost, change, unit_cost)
        self.on_hand += change
        self.reserved += entry.reserved
        self.version += 1

    def habit_of(self, change: Decimal) -> Habit:
        return self.taken if change < 0 else self.added

    def get_used_to(self, change: Decimal) -> None:
        if change < 0:
            self.taken = self.taken.after(change)
        else:
            self.added = self.added.after(change)

    def can_record(self, on_hand_change: Decimal, reserved_change: Decimal) -> bool:
        return abs(self.on_hand + on_hand_change) < LIMIT and self.reserved + reserved_change < LIMIT

    def crossings(self) -> list[str]:
        """Which limits `on_hand` has crossed since it was last asked: `low`, `depleted`, `recovered`."""
        crossed = []
        is_low, is_depleted = self.on_hand <= self.threshold, self.on_hand <= ZERO
        if is_low and not self.is_low:
            crossed.append("low")
        if is_depleted and not self.is_depleted:
            crossed.append("depleted")
        if self.is_low and not is_low:
            crossed.append("recovered")
        self.is_low, self.is_depleted = is_low, is_depleted
        return crossed
