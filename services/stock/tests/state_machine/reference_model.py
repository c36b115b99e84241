"""A reference model of the service: the effect of each document on stock, in plain sequential arithmetic."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

Place = tuple[int, int]
"""A product in a warehouse."""

Change = tuple[Place, Decimal, Decimal]
"""An entry: its level, and its changes of on_hand and of reserved."""

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
class Reservation:
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
    """`counted`: the counted quantity, and the number of movements of goods before it, by product."""

    warehouse: int
    counted: dict[int, tuple[Decimal, int]] = field(default_factory=dict)
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
class ReferenceModel:
    """`goods`: movements of goods, in their order; `movements`: number of movements in the ledger, without corrections
    of values; `events`: number of events of documents, by type."""

    levels: dict[Place, Level] = field(default_factory=dict)
    negative: set[int] = field(default_factory=set)
    sales: dict[int, Sale] = field(default_factory=dict)
    reservations: dict[int, Reservation] = field(default_factory=dict)
    transfers: dict[int, Transfer] = field(default_factory=dict)
    counts: dict[int, Count] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    goods: list[tuple[Place, Decimal]] = field(default_factory=list)
    reversible: dict[int, tuple[Place, Decimal, int]] = field(default_factory=dict)
    reversed: set[int] = field(default_factory=set)
    movements: int = 0
    events: Counter[str] = field(default_factory=Counter)

    def level(self, place: Place) -> Level:
        return self.levels.setdefault(place, Level())

    def available(self, place: Place) -> Decimal:
        return self.level(place).on_hand - self.level(place).reserved

    def fits(self, *changes: Change) -> bool:
        """Whether all changes are allowed in this order: no decrease may leave a negative quantity, or less than is
        reserved."""
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

    def make(self, *changes: Change, is_correction: bool = False) -> None:
        for place, on_hand, reserved in changes:
            self.level(place).on_hand += on_hand
            self.level(place).reserved += reserved
            self.movements += on_hand != 0
            self.goods.append((place, ZERO if is_correction else on_hand))

    def moved_since(self, place: Place, number: int) -> Decimal:
        """The goods that have moved after the first `number` movements."""
        return sum((quantity for moved, quantity in self.goods[number:] if moved == place), ZERO)

    def try_to(self, *changes: Change, event: str | None = None, is_correction: bool = False) -> bool:
        """Apply the changes if they are allowed; return whether they were."""
        if not self.fits(*changes):
            return False
        self.make(*changes, is_correction=is_correction)
        if event is not None:
            self.events[event] += 1
        return True

    def incoming(self, place: Place) -> Decimal:
        product, warehouse = place
        moving = (t.in_transit for t in self.transfers.values() if (t.product, t.destination) == (product, warehouse))
        ordered = (o.incoming for o in self.orders.values() if (o.product, o.warehouse) == (product, warehouse))
        return sum(moving, ZERO) + sum(ordered, ZERO)

    def reserved(self, place: Place) -> Decimal:
        """The quantity reserved by reservations and pending transfers, computed from the documents."""
        product, warehouse = place
        reserved = (
            quantity
            for reservation in self.reservations.values()
            for product_id, quantity in reservation.lines
            if reservation.status == "held" and (product_id, reservation.warehouse) == (product, warehouse)
        )
        pending = (
            transfer.quantity
            for transfer in self.transfers.values()
            if transfer.status == "pending" and (transfer.product, transfer.source) == (product, warehouse)
        )
        return sum(reserved, ZERO) + sum(pending, ZERO)
