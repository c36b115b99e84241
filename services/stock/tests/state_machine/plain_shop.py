"""The shop as plain arithmetic: what each document does to the stock, with no database, no locks and no hurry."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

Place = tuple[int, int]
"""A product in a warehouse."""

Change = tuple[Place, Decimal, Decimal]
"""What an entry changes of on hand and of reserved."""

ZERO = Decimal(0)


@dataclass
class Level:
    on_hand: Decimal = ZERO
    reserved: Decimal = ZERO


@dataclass
class Sale:
    warehouse: int
    lines: list[tuple[int, Decimal]]
    returned: dict[int, Decimal] = field(default_factory=dict)
    is_voided: bool = False

    def left(self, product: int) -> Decimal:
        sold = sum((quantity for sold, quantity in self.lines if sold == product), ZERO)
        return sold - self.returned.get(product, ZERO)


@dataclass
class Hold:
    warehouse: int
    lines: list[tuple[int, Decimal]]
    status: str = "held"


@dataclass
class Transfer:
    source: int
    destination: int
    product: int
    quantity: Decimal
    status: str = "pending"
    shipped: Decimal = ZERO
    received: Decimal = ZERO
    lost: Decimal = ZERO
    returned: Decimal = ZERO

    @property
    def in_transit(self) -> Decimal:
        return self.shipped - self.received - self.lost - self.returned


@dataclass
class Count:
    warehouse: int
    frozen: dict[int, Decimal]
    counted: dict[int, Decimal] = field(default_factory=dict)
    status: str = "open"


@dataclass
class Order:
    warehouse: int
    product: int
    quantity: Decimal
    received: Decimal = ZERO
    status: str = "draft"

    @property
    def incoming(self) -> Decimal:
        is_open = self.status in ("ordered", "partially_received")
        return max(self.quantity - self.received, ZERO) if is_open else ZERO


@dataclass
class PlainShop:
    """`movements` counts the lines of the ledger, `told` the events that documents say of themselves."""

    levels: dict[Place, Level] = field(default_factory=dict)
    negative: set[int] = field(default_factory=set)
    sales: dict[int, Sale] = field(default_factory=dict)
    holds: dict[int, Hold] = field(default_factory=dict)
    transfers: dict[int, Transfer] = field(default_factory=dict)
    counts: dict[int, Count] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    reversible: dict[int, tuple[Place, Decimal]] = field(default_factory=dict)
    reversed: set[int] = field(default_factory=set)
    movements: int = 0
    told: Counter[str] = field(default_factory=Counter)

    def level(self, place: Place) -> Level:
        return self.levels.setdefault(place, Level())

    def available(self, place: Place) -> Decimal:
        return self.level(place).on_hand - self.level(place).reserved

    def fits(self, *changes: Change) -> bool:
        """Whether all of them can be made, one after the other: nothing that takes leaves less than nothing, or
        less than is reserved."""
        running: dict[Place, Level] = {}
        for place, on_hand, reserved in changes:
            level = running.setdefault(place, Level(self.level(place).on_hand, self.level(place).reserved))
            level.on_hand += on_hand
            level.reserved += reserved
            if place[1] in self.negative:
                continue
            if (on_hand < 0 and level.on_hand < 0) or (on_hand < reserved and level.on_hand < level.reserved):
                return False
        return True

    def make(self, *changes: Change) -> None:
        for place, on_hand, reserved in changes:
            self.level(place).on_hand += on_hand
            self.level(place).reserved += reserved
            self.movements += on_hand != 0

    def try_to(self, *changes: Change, tell: str | None = None) -> bool:
        """Make them if they fit; whether they did."""
        if not self.fits(*changes):
            return False
        self.make(*changes)
        if tell is not None:
            self.told[tell] += 1
        return True

    def on_its_way(self, place: Place) -> Decimal:
        product, warehouse = place
        moving = (t.in_transit for t in self.transfers.values() if (t.product, t.destination) == (product, warehouse))
        ordered = (o.incoming for o in self.orders.values() if (o.product, o.warehouse) == (product, warehouse))
        return sum(moving, ZERO) + sum(ordered, ZERO)

    def held(self, place: Place) -> Decimal:
        """What reservations and transfers hold there, told from the documents alone."""
        product, warehouse = place
        reserved = (
            quantity
            for hold in self.holds.values()
            for held, quantity in hold.lines
            if hold.status == "held" and (held, hold.warehouse) == (product, warehouse)
        )
        pending = (
            transfer.quantity
            for transfer in self.transfers.values()
            if transfer.status == "pending" and (transfer.product, transfer.source) == (product, warehouse)
        )
        return sum(reserved, ZERO) + sum(pending, ZERO)
