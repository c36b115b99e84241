"""What a document submits to the ledger and what it gets back: the types that all documents share.

Nothing here is modified after it was created. `Entry` and `Change` are not frozen only because there are very many of
them, and freezing triples the time of their construction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from stockbuddy.chassis.http.errors import Problem
from stockbuddy.chassis.http.idempotency import IdempotencyKey, StoredResponse
from stockbuddy.chassis.runtime.event_context import EventContext, current_event_context
from stockbuddy.contracts.event import Event
from stockbuddy.stock.ledger.authority import Authority
from stockbuddy.stock.ledger.costing import ZERO
from stockbuddy.stock.ledger.movement_types import MovementType


class LevelKey(NamedTuple):
    """The identity of a level, and the order in which levels are locked. Lot 0 is stock without a lot."""

    product_id: int
    warehouse_id: int
    lot: int = 0


@dataclass(slots=True)
class Entry:
    """One line of a posting: a change of `on_hand` (recorded as a movement), of `reserved`, or of both at once.

    - `set_to` replaces `on_hand`: sets the level to a counted quantity; `expected` is what it must be before.
    - `unit_cost`: what a unit is received or leaves at; None: the average cost. `value`: exactly what the whole
      quantity is worth (positive); without `unit_cost`, stock of unknown cost. `value_from`: the value that the
      earlier entry with that index took.
    - `based_on`: the version of the level that the entry was computed from; if it has changed, the posting is stale.
    - `reason`: reported in LevelChanged if the entry has no movement (reservations).
    """

    level: LevelKey
    on_hand: Decimal = ZERO
    reserved: Decimal = ZERO
    movement_type: MovementType | None = None
    unit_cost: Decimal | None = None
    value: Decimal | None = None
    value_from: int | None = None
    reference_number: str | None = None
    notes: str | None = None
    occurred_at: datetime | None = None
    reverses_id: int | None = None
    set_to: Decimal | None = None
    expected: Decimal | None = None
    based_on: int | None = None
    reason: str = "reservation"


@dataclass(slots=True)
class Change:
    """What an accepted entry did to its level. `value`: of the goods moved; `level_value`: of the
    level after it; `unit_cost`: None if unknown; `movement_id` and `movement` (the movement as JSON): None if `on_hand`
    did not change."""

    entry: Entry
    sku: str
    before: Decimal
    balance: Decimal
    reserved: Decimal
    value: Decimal
    level_value: Decimal
    unit_cost: Decimal | None
    average_cost: Decimal | None
    movement_id: int | None
    movement: str | None


@dataclass(frozen=True, slots=True)
class Shortage:
    """A level whose available quantity is less than the quantity requested of it."""

    level: LevelKey
    sku: str
    requested: Decimal
    available: Decimal


@dataclass(frozen=True, slots=True)
class PostingResult:
    """What the entries of a posting did, in their order; in a `partial` posting the reason where one was refused.
    `ids`: the new ids that the posting asked for, by table."""

    recorded_at: datetime
    changes: Sequence[Change | Shortage | Problem]
    ids: Mapping[str, Sequence[int]]

    def accepted(self) -> Sequence[Change]:
        return [change for change in self.changes if isinstance(change, Change)]

    def new_id(self, table: str) -> int:
        """The new id of a table of which the posting asked for one."""
        return self.ids[table][0]


Row = Mapping[str, Any]
"""A document's row by column, with Decimals and datetimes as they are; an updated row includes its `id`."""


def row_of(state: object, *columns: str) -> Row:
    """The row with these attributes of `state`."""
    return {column: getattr(state, column) for column in columns}


@dataclass(frozen=True, slots=True)
class DocumentChanges:
    """What is written with a posting in its transaction: rows by table (referenced tables first), events, and the
    response, which is stored under the request's idempotency key unless `is_stored` is false."""

    response: StoredResponse
    inserts: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    updates: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    events: Sequence[Event] = ()
    is_stored: bool = True


class VersionCheck(NamedTuple):
    """A document row that a posting is based on: it must still have this version, and gets the next one."""

    table: str
    id: int
    version: int


@dataclass(frozen=True, slots=True, eq=False)
class Posting:
    """Entries that are accepted or refused as a whole (if `partial`, one by one).

    - `build_changes` is called while the levels are locked: it must be pure, and may raise a Problem to refuse the
      posting.
    - `authority`: compared with every entry that changes its level.
    - `refers_to`: warehouses in which it changes no level, and which must not have been deleted.
    - `new_ids`: how many ids of which tables `build_changes` needs.
    - `document`: what the movements belong to, `sale/17`, or `sale` for the first new id of that table.
    """

    entries: Sequence[Entry]
    build_changes: Callable[[PostingResult], DocumentChanges]
    authority: Authority
    key: IdempotencyKey | None = None
    checks: Sequence[VersionCheck] = ()
    refers_to: frozenset[int] = frozenset()
    new_ids: Mapping[str, int] = field(default_factory=dict)
    document: str | None = None
    partial: bool = False
    context: EventContext = field(default_factory=current_event_context)

    def document_for(self, ids: Mapping[str, Sequence[int]]) -> str | None:
        if self.document is None or "/" in self.document:
            return self.document
        return f"{self.document}/{ids[self.document][0]}"


@dataclass(frozen=True, slots=True)
class Accepted:
    """`events`: of the document; those of its movements are not among them."""

    response: StoredResponse
    events: Sequence[Event] = ()


@dataclass(frozen=True, slots=True)
class Replayed:
    """The request was accepted before, with this response."""

    response: StoredResponse


@dataclass(frozen=True, slots=True)
class Refused:
    problem: Problem


@dataclass(frozen=True, slots=True)
class Stale:
    """A checked document has changed since it was read: read it again and plan a new posting."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The posting raised an unexpected exception."""

    error: Exception


PostingOutcome = Accepted | Replayed | Refused | Stale | Failed
