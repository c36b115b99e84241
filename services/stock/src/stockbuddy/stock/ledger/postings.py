"""What a document asks of the ledger, and what it is told: the vocabulary that every document shares.

Nothing here is changed once it is made; entries and changes are not frozen only because there are so many of them.
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
from stockbuddy.stock.ledger.movement_types import MovementType

ZERO = Decimal(0)


class LevelKey(NamedTuple):
    """Where stock lies. Levels are locked in the order of their keys. Lot 0 is stock without a lot."""

    product_id: int
    warehouse_id: int
    lot: int = 0


@dataclass(slots=True)
class Entry:
    """One line of a posting: a change of `on_hand` (which makes a movement), of `reserved`, or of both at once.

    `set_to` in place of `on_hand` sets the level to a count; `expected` is then what the level must hold.
    `unit_cost` of what comes in moves the average; None stands for the average itself, and `cost_from` (the index of
    an earlier entry of the posting) for what a unit of that one cost. `reason` tells the event of a level why it
    changed where there is no movement to tell.
    """

    level: LevelKey
    on_hand: Decimal = ZERO
    reserved: Decimal = ZERO
    movement_type: MovementType | None = None
    unit_cost: Decimal | None = None
    cost_from: int | None = None
    reference_number: str | None = None
    notes: str | None = None
    occurred_at: datetime | None = None
    reverses_id: int | None = None
    set_to: Decimal | None = None
    expected: Decimal | None = None
    reason: str = "reservation"


@dataclass(slots=True)
class Change:
    """What an accepted entry did. `unit_cost` is what each unit of it cost, where that is known; `movement` is its
    line in the ledger as JSON, and null where nothing moved."""

    entry: Entry
    sku: str
    quantity: Decimal
    before: Decimal
    balance: Decimal
    reserved: Decimal
    version: int
    unit_cost: Decimal | None
    average_cost: Decimal | None
    movement_id: int | None
    movement: str | None


@dataclass(frozen=True, slots=True)
class Shortage:
    """A level that could not give what a posting takes from it in all."""

    level: LevelKey
    sku: str
    requested: Decimal
    available: Decimal


@dataclass(frozen=True, slots=True)
class PostingResult:
    """What an accepted posting did, entry by entry; a shortage or a problem where a `partial` posting's was refused.
    `ids` are the new ids that it asked for, by table."""

    recorded_at: datetime
    changes: Sequence[Change | Shortage | Problem]
    ids: Mapping[str, Sequence[int]]

    def accepted(self) -> Sequence[Change]:
        return [change for change in self.changes if isinstance(change, Change)]


Row = Mapping[str, Any]
"""A document's row by column; Decimals and datetimes as they are. One that is updated holds its `id`."""


def row_of(state: object, *columns: str) -> Row:
    """The row that holds these attributes of `state`."""
    return {column: getattr(state, column) for column in columns}


@dataclass(frozen=True, slots=True)
class DocumentChanges:
    """What follows from an result, written in the same transaction: the rows by table (referenced tables first),
    the events, and the answer, which is also what a repetition of the request gets unless it is not to be
    remembered."""

    answer: StoredResponse
    inserts: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    updates: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    events: Sequence[Event] = ()
    remembered: bool = True


class VersionCheck(NamedTuple):
    """A document row that a posting was decided on: it must still have that version, and gets the next one."""

    table: str
    id: int
    version: int


@dataclass(frozen=True, slots=True, eq=False)
class Posting:
    """A unit that is accepted or refused as a whole (or, when `partial`, entry by entry).

    `build_changes` is pure; it is called once the entries are accepted, and may refuse the posting after all by raising
    a Problem. `new_ids` says how many ids of which tables it needs. `document` is what its movements belong to:
    `sale/17`, or `sale` alone for the first new id of that table.
    """

    entries: Sequence[Entry]
    build_changes: Callable[[PostingResult], DocumentChanges]
    key: IdempotencyKey | None = None
    checks: Sequence[VersionCheck] = ()
    new_ids: Mapping[str, int] = field(default_factory=dict)
    document: str | None = None
    partial: bool = False
    origin: EventContext = field(default_factory=current_event_context)

    def document_of(self, ids: Mapping[str, Sequence[int]]) -> str | None:
        if self.document is None or "/" in self.document:
            return self.document
        return f"{self.document}/{ids[self.document][0]}"


@dataclass(frozen=True, slots=True)
class Accepted:
    answer: StoredResponse


@dataclass(frozen=True, slots=True)
class Replayed:
    """The request was accepted before; `answer` is what it was told then."""

    answer: StoredResponse


@dataclass(frozen=True, slots=True)
class Refused:
    problem: Problem


@dataclass(frozen=True, slots=True)
class Stale:
    """A guarded document changed since it was read: read again and decide anew."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The posting itself is at fault, in a way that nobody foresaw."""

    error: Exception


Outcome = Accepted | Replayed | Refused | Stale | Failed
