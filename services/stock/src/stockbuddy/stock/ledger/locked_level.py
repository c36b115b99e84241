"""A locked level and its arithmetic: whether an entry is allowed, and the level after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from stockbuddy.stock.ledger.anomaly import MovementBaseline
from stockbuddy.stock.ledger.costing import ZERO, Stated, StockValue, Valuation, rounded_cost
from stockbuddy.stock.ledger.postings import Entry, LevelKey
from stockbuddy.stock.ledger.rows import LevelRow

MAX_QUANTITY = Decimal(5) * 10**11
"""Half of the largest Quantity, so that the difference of two levels still fits one."""


@dataclass(slots=True)
class LockedLevel:
    """A level in a transaction that has locked it. `allows_negative` and `is_active` are the warehouse's policy and
    whether it still exists, read after the lock was acquired. `alerts`: the product is active."""

    key: LevelKey
    sku: str
    threshold: Decimal
    cost_price: Decimal | None
    on_hand: Decimal
    reserved: Decimal
    version: int
    value: Decimal
    last_cost: Decimal | None
    is_low: bool
    is_depleted: bool
    taken: MovementBaseline
    added: MovementBaseline
    owner_id: int | None
    alerts: bool
    allows_negative: bool = False
    is_active: bool = True

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> LockedLevel:
        """From a row of `statements.LOCK_LEVELS`."""
        return cls(
            key=LevelKey(row["product_id"], row["warehouse_id"], row["lot"]),
            sku=row["sku"],
            threshold=row["threshold"],
            cost_price=row["cost_price"],
            on_hand=row["on_hand"],
            reserved=row["reserved"],
            version=row["version"],
            value=row["value"],
            last_cost=row["last_cost"],
            is_low=row["is_low"],
            is_depleted=row["is_depleted"],
            taken=MovementBaseline(row["taken_count"], row["taken_mean"], row["taken_variance"]),
            added=MovementBaseline(row["added_count"], row["added_mean"], row["added_variance"]),
            owner_id=row["owner_id"],
            alerts=row["inactive_since"] is None,
        )

    def to_row(self) -> LevelRow:
        return LevelRow(
            product_id=self.key.product_id,
            warehouse_id=self.key.warehouse_id,
            lot=self.key.lot,
            on_hand=self.on_hand,
            reserved=self.reserved,
            version=self.version,
            value=self.value,
            last_cost=self.last_cost,
            average_cost=self.average_cost,
            overdrawn=self.on_hand < self.reserved,
            is_low=self.is_low,
            is_depleted=self.is_depleted,
            taken_count=self.taken.samples,
            taken_mean=self.taken.mean,
            taken_variance=self.taken.variance,
            added_count=self.added.samples,
            added_mean=self.added.mean,
            added_variance=self.added.variance,
        )

    def copy(self) -> LockedLevel:
        # Positional, as copy.copy and dataclasses.replace take five times as long.
        return LockedLevel(
            self.key, self.sku, self.threshold, self.cost_price, self.on_hand, self.reserved, self.version,
            self.value, self.last_cost, self.is_low, self.is_depleted, self.taken, self.added, self.owner_id,
            self.alerts, self.allows_negative, self.is_active,
        )  # fmt: skip

    @property
    def available(self) -> Decimal:
        return self.on_hand - self.reserved

    @property
    def average_cost(self) -> Decimal | None:
        """As it is shown; None if unknown."""
        return rounded_cost(self._stock_value.average)

    @property
    def _stock_value(self) -> StockValue:
        return StockValue(self.on_hand, self.value, self.last_cost)

    def delta_for(self, entry: Entry) -> Decimal:
        """The change of `on_hand`."""
        return entry.on_hand if entry.set_to is None else entry.set_to - self.on_hand

    def allows(self, on_hand_change: Decimal, reserved_change: Decimal) -> bool:
        """True unless a decrease would make `on_hand` negative or smaller than `reserved`. Increases are always
        allowed."""
        if self.allows_negative:
            return True
        if on_hand_change < 0 and self.on_hand + on_hand_change < 0:
            return False
        reduces_available = on_hand_change < reserved_change
        return not reduces_available or self.available + on_hand_change - reserved_change >= 0

    def is_recordable(self, on_hand_change: Decimal, reserved_change: Decimal) -> bool:
        return abs(self.on_hand + on_hand_change) < MAX_QUANTITY and self.reserved + reserved_change < MAX_QUANTITY

    def valuate(self, change: Decimal, stated: Stated) -> Valuation:
        """Of a movement by `change`. Raises ValueOutOfRange."""
        return self._stock_value.valuate(change, stated, self.cost_price)

    def apply(self, entry: Entry, change: Decimal, valuation: Valuation | None) -> None:
        """`valuation`: None if `on_hand` does not change."""
        if valuation is not None:
            self.on_hand, self.value, self.last_cost = self._stock_value.after(change, valuation)
        self.reserved += entry.reserved
        self.version += 1

    def baseline_for(self, change: Decimal) -> MovementBaseline:
        return self.taken if change < 0 else self.added

    def observe(self, change: Decimal) -> None:
        if change < 0:
            self.taken = self.taken.observe(change)
        else:
            self.added = self.added.observe(change)

    def cross_thresholds(self) -> list[str]:
        """The thresholds that `on_hand` has crossed since the last call: `low`, `depleted`, `recovered`. None while the
        product is inactive."""
        crossed: list[str] = []
        if not self.alerts:
            return crossed
        is_low, is_depleted = self.on_hand <= self.threshold, self.on_hand <= ZERO
        if is_low and not self.is_low:
            crossed.append("low")
        if is_depleted and not self.is_depleted:
            crossed.append("depleted")
        if self.is_low and not is_low:
            crossed.append("recovered")
        self.is_low, self.is_depleted = is_low, is_depleted
        return crossed
