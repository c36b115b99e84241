"""Decides postings in arrival order against locked levels, in memory, and collects what is to be written.

Each posting sees the effect of the accepted ones before it; a refused one leaves no trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from stockbuddy.chassis.http.errors import Problem
from stockbuddy.chassis.http.idempotency import IdempotencyKey, IdempotencyKeyReused, StoredResponse
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.messaging.outbox import OutboxRow
from stockbuddy.contracts.numbers import quantity_number
from stockbuddy.stock.errors import AlreadyReversed, QuantityOutOfRange, StaleQuantity, UnknownWarehouse
from stockbuddy.stock.ledger.events import Announcer, Moved
from stockbuddy.stock.ledger.locked_level import Level
from stockbuddy.stock.ledger.postings import (
    ZERO,
    Accepted,
    Change,
    DocumentChanges,
    Entry,
    Failed,
    LevelKey,
    Outcome,
    Posting,
    PostingResult,
    Refused,
    Replayed,
    Row,
    Shortage,
    Stale,
)
from stockbuddy.stock.ledger.shortages import insufficient_stock


class StoredAnswer(NamedTuple):
    """What an idempotency key holds."""

    fingerprint: bytes
    answer: StoredResponse


@dataclass(slots=True)
class Plan:
    """Everything that the accepted postings of a group write."""

    levels: dict[LevelKey, Level] = field(default_factory=dict)
    movements: list[tuple[Any, ...]] = field(default_factory=list)
    events: list[OutboxRow] = field(default_factory=list)
    answers: list[tuple[IdempotencyKey, StoredResponse]] = field(default_factory=list)
    inserts: dict[str, list[Row]] = field(default_factory=dict)
    updates: dict[str, list[Row]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not (self.levels or self.events or self.answers or self.inserts or self.updates)


@dataclass(slots=True)
class Decider:
    """One transaction's decisions. `movement_ids` and `ids` were drawn while the locks were held."""

    levels: dict[LevelKey, Level]
    documents: dict[tuple[str, int], int]
    """The version of each guarded document that exists."""
    stored: dict[tuple[str, str], StoredAnswer]
    reversed_ids: set[int]
    movement_ids: Iterator[int]
    ids: Mapping[str, Iterator[int]]
    announcer: Announcer
    plan: Plan = field(default_factory=Plan)
    short: set[LevelKey] = field(default_factory=set)
    """Levels that could not give what somebody wanted of them."""

    def decide(self, posting: Posting) -> Outcome:
        try:
            return self._replay(posting) or self._stale(posting) or self._accept(posting)
        except Problem as problem:
            return Refused(problem)
        except Exception as error:
            return Failed(error)

    def _replay(self, posting: Posting) -> Replayed | None:
        if posting.key is None:
            return None
        stored = self.stored.get((posting.key.caller, posting.key.key))
        if stored is None:
            return None
        if stored.fingerprint != posting.key.fingerprint:
            raise IdempotencyKeyReused()
        return Replayed(stored.answer)

    def _stale(self, posting: Posting) -> Stale | None:
        fresh = all(self.documents.get((guard.table, guard.id)) == guard.version for guard in posting.checks)
        return None if fresh else Stale()

    def _accept(self, posting: Posting) -> Accepted:
        draft = _Draft(self, posting)
        result = draft.make()
        conclusion = posting.build_changes(result)
        draft.commit(conclusion)
        return Accepted(conclusion.answer)


class _Draft:
    """One posting on copies of the levels, until it is known that it stands."""

    def __init__(self, decider: Decider, posting: Posting) -> None:
        self._decider = decider
        self._posting = posting
        self._ids = {
            table: [next(decider.ids[table]) for _ in range(count)] for table, count in posting.new_ids.items()
        }
        self._document = posting.document_of(self._ids)
        self._levels: dict[LevelKey, Level] = {}
        self._reasons: dict[LevelKey, str] = {}
        self._movements: list[tuple[Any, ...]] = []
        self._events: list[OutboxRow] = []

    def make(self) -> PostingResult:
        """Apply the entries. Raises InsufficientStock with every shortage, or the first entry's problem."""
        outcomes: list[Change | Shortage | Problem] = []
        for entry in self._posting.entries:
            level = self._level(entry.level)
            change = level.change_of(entry)
            refusal = self._refusal(level, entry, change)
            if isinstance(refusal, Problem) and not self._posting.partial:
                raise refusal
            if refusal is not None:
                outcomes.append(refusal)
            else:
                cost = level.cost_of(entry) if entry.cost_from is None else _cost(outcomes[entry.cost_from])
                outcomes.append(self._post(level, entry, change, cost))
        if not self._posting.partial and any(isinstance(outcome, Shortage) for outcome in outcomes):
            raise insufficient_stock(self._posting.entries, self._decider.levels)
        return PostingResult(self._decider.announcer.now, outcomes, self._ids)

    def _level(self, key: LevelKey) -> Level:
        level = self._levels.get(key)
        if level is None:
            level = self._levels[key] = self._decider.levels[key].copy()
        return level

    def _refusal(self, level: Level, entry: Entry, change: Decimal) -> Shortage | Problem | None:
        if not level.is_open:
            return UnknownWarehouse()
        if entry.reverses_id in self._decider.reversed_ids:
            return AlreadyReversed()
        if entry.expected is not None and level.on_hand != entry.expected:
            return StaleQuantity(quantity_number(level.on_hand))
        if not level.can_give(change, entry.reserved):
            self._decider.short.add(entry.level)
            return self._shortage(level, entry)
        return None if level.can_record(change, entry.reserved) else QuantityOutOfRange()

    def _shortage(self, level: Level, entry: Entry) -> Shortage:
        requested = max(-level.change_of(entry), entry.reserved)
        return Shortage(entry.level, level.sku, requested, level.available)

    def _post(self, level: Level, entry: Entry, quantity: Decimal, unit_cost: Decimal | None) -> Change:
        before = level.on_hand
        level.take_in(entry, quantity, unit_cost)
        movement_id, movement = None, None
        if quantity != ZERO:
            movement_id, movement = self._move(level, entry, quantity, before, unit_cost)
        if quantity != ZERO or entry.reserved != ZERO:
            self._reasons[entry.level] = (entry.movement_type or entry.reason) if quantity != ZERO else entry.reason
        return Change(
            entry, level.sku, quantity, before, level.on_hand, level.reserved, level.version,
            unit_cost, level.average_cost, movement_id, movement,
        )  # fmt: skip

    def _move(
        self, level: Level, entry: Entry, quantity: Decimal, before: Decimal, unit_cost: Decimal | None
    ) -> tuple[int, str]:
        """Write a line of the ledger; returns its id and itself as JSON."""
        if entry.movement_type is None:
            raise ValueError(f"an entry that moves stock needs a movement type: {entry}")
        moved = Moved(
            next(self._decider.movement_ids), entry, quantity, before, unit_cost,
            quantity < 0 and level.on_hand < 0, self._document,
        )  # fmt: skip
        announcer, origin = self._decider.announcer, self._posting.origin
        self._movements.append((
            moved.id, *entry.level, level.version, entry.movement_type, quantity, before, level.on_hand,
            unit_cost, level.average_cost, moved.went_negative, entry.reference_number, entry.notes, self._document,
            entry.reverses_id, origin.actor_id, entry.occurred_at or announcer.now,
        ))  # fmt: skip
        row = announcer.movement_posted(moved, level, origin)
        self._events.append(row)
        if (times := level.habit_of(quantity).times_above(quantity)) is not None:
            self._events.append(announcer.activity_unusual(moved, level, times, origin))
        level.get_used_to(quantity)
        return moved.id, row.payload

    def commit(self, conclusion: DocumentChanges) -> None:
        """The posting stands: its levels become the ones that the next posting sees."""
        decider, plan, posting = self._decider, self._decider.plan, self._posting
        # Whatever may fail comes before the first trace in the plan.
        events, updates = self._all_events(conclusion), self._updates(conclusion)
        plan.movements += self._movements
        plan.events += events
        for key in self._reasons:
            decider.levels[key] = plan.levels[key] = self._levels[key]
        for table, rows in conclusion.inserts.items():
            plan.inserts.setdefault(table, []).extend(rows)
        for table, rows in updates.items():
            plan.updates.setdefault(table, []).extend(rows)
        decider.reversed_ids.update(entry.reverses_id for entry in posting.entries if entry.reverses_id is not None)
        for guard in posting.checks:
            decider.documents[guard.table, guard.id] = guard.version + 1
        if posting.key is not None and conclusion.remembered:
            plan.answers.append((posting.key, conclusion.answer))
            stored = StoredAnswer(posting.key.fingerprint, conclusion.answer)
            decider.stored[posting.key.caller, posting.key.key] = stored

    def _all_events(self, conclusion: DocumentChanges) -> list[OutboxRow]:
        decider, origin = self._decider, self._posting.origin
        events = self._events
        for key, reason in self._reasons.items():
            events += decider.announcer.level_changed(decider.levels[key], self._levels[key], reason, origin)
        return events + [outbox.row(event, origin) for event in conclusion.events]

    def _updates(self, conclusion: DocumentChanges) -> Mapping[str, Sequence[Row]]:
        """The conclusion's updates, with the next version of every guarded document among them."""
        rows = {(table, row["id"]): row for table, rows in conclusion.updates.items() for row in rows}
        for table, document_id, version in self._posting.checks:
            row = rows.get((table, document_id), {"id": document_id})
            rows[table, document_id] = {**row, "version": version + 1}
        updates: dict[str, list[Row]] = {}
        for (table, _), row in rows.items():
            updates.setdefault(table, []).append(row)
        return updates


def _cost(outcome: Change | Shortage | Problem) -> Decimal | None:
    return outcome.unit_cost if isinstance(outcome, Change) else None


def guards_of(postings: Sequence[Posting]) -> dict[str, list[int]]:
    """The documents to lock, by table, everything in one order for everybody."""
    wanted: dict[str, set[int]] = {}
    for guard in (guard for posting in postings for guard in posting.checks):
        wanted.setdefault(guard.table, set()).add(guard.id)
    return {table: sorted(ids) for table, ids in sorted(wanted.items())}


def keys_of(postings: Sequence[Posting]) -> list[LevelKey]:
    return sorted({entry.level for posting in postings for entry in posting.entries})
