"""Evaluates postings in order of arrival against locked levels, in memory, and collects what is to be written.

Each posting sees the effect of the accepted ones before it; a refused one changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from stockbuddy.chassis.http.errors import Problem
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.messaging.outbox import OutboxEvent
from stockbuddy.contracts.numbers import quantity_number
from stockbuddy.stock.errors import AlreadyReversed, QuantityOutOfRange, StaleQuantity, UnknownWarehouse
from stockbuddy.stock.ledger.costing import ZERO, Stated, Valuation, ValueOutOfRange, rounded_cost
from stockbuddy.stock.ledger.events import LedgerEventWriter
from stockbuddy.stock.ledger.locked_level import LockedLevel
from stockbuddy.stock.ledger.permission import find_refusal, find_share_refusal
from stockbuddy.stock.ledger.postings import (
    Accepted,
    Change,
    DocumentChanges,
    Entry,
    Failed,
    LevelKey,
    Posting,
    PostingOutcome,
    PostingResult,
    Refused,
    Replayed,
    Row,
    Shortage,
    Stale,
)
from stockbuddy.stock.ledger.rows import IdempotencyKeyRow, JsonText, MovementRow
from stockbuddy.stock.ledger.shortages import insufficient_stock
from stockbuddy.stock.ledger.write_set import WriteSet


@dataclass(slots=True)
class PostingEvaluator:
    """Evaluates the postings of one transaction, which has locked `levels` and documents.

    `versions`: of each checked document that exists. `warehouse_ids`: those that exist of the ones that postings refer
    to without changing levels in them. `stored_keys`: the idempotency keys already used.
    `shortages`: levels with insufficient available stock.
    """

    levels: dict[LevelKey, LockedLevel]
    versions: dict[tuple[str, int], int]
    warehouse_ids: set[int]
    stored_keys: dict[tuple[str, str], IdempotencyKeyRow]
    reversed_ids: set[int]
    movement_ids: Iterator[int]
    ids: Mapping[str, Iterator[int]]
    events: LedgerEventWriter
    write_set: WriteSet = field(default_factory=WriteSet)
    shortages: set[LevelKey] = field(default_factory=set)

    def evaluate(self, posting: Posting) -> PostingOutcome:
        try:
            return self._replay(posting) or self._require_current(posting) or self._accept(posting)
        except Problem as problem:
            return Refused(problem)
        except _OutdatedLevel:
            return Stale()
        except Exception as error:
            return Failed(error)

    def _replay(self, posting: Posting) -> Replayed | None:
        key = posting.key
        stored = None if key is None else self.stored_keys.get((key.caller, key.key))
        if key is None or stored is None:
            return None
        # The caller may have lost the permission since the first request.
        if not posting.partial:
            for entry in posting.entries:
                if refusal := find_refusal(posting.authority, entry, self.levels[entry.level]):
                    raise refusal
        return Replayed(stored.to_response(key))

    def _require_current(self, posting: Posting) -> Stale | None:
        is_current = all(self.versions.get((check.table, check.id)) == check.version for check in posting.checks)
        return None if is_current else Stale()

    def _accept(self, posting: Posting) -> Accepted:
        if not posting.refers_to <= self.warehouse_ids:
            raise UnknownWarehouse()
        draft = _Draft(self, posting)
        changes = posting.build_changes(draft.apply_entries())
        draft.accept(changes)
        return Accepted(changes.response, changes.events)


class _OutdatedLevel(Exception):
    """A level has changed since an entry was computed from it."""


class _Draft:
    """Applies one posting to copies of the levels, which replace the levels once it is accepted."""

    def __init__(self, evaluator: PostingEvaluator, posting: Posting) -> None:
        self._evaluator = evaluator
        self._posting = posting
        self._ids = {
            table: [next(evaluator.ids[table]) for _ in range(count)] for table, count in posting.new_ids.items()
        }
        self._document = posting.document_for(self._ids)
        self._levels: dict[LevelKey, LockedLevel] = {}
        self._reasons: dict[LevelKey, str] = {}
        self._movements: list[MovementRow] = []
        self._events: list[OutboxEvent] = []

    def apply_entries(self) -> PostingResult:
        """Raises InsufficientStock with every shortage, or the first entry's problem."""
        changes: list[Change | Shortage | Problem] = []
        for entry in self._posting.entries:
            level = self._copy_of(entry.level)
            delta = level.delta_for(entry)
            change = (
                find_refusal(self._posting.authority, entry, level)
                or self._refusal(level, entry, delta)
                or self._apply(level, entry, delta, _stated_cost(entry, changes))
            )
            if isinstance(change, Problem) and not self._posting.partial:
                raise change
            changes.append(change)
        if not self._posting.partial and any(isinstance(change, Shortage) for change in changes):
            raise insufficient_stock(self._posting.entries, self._evaluator.levels)
        return PostingResult(self._evaluator.events.now, changes, self._ids)

    def _copy_of(self, key: LevelKey) -> LockedLevel:
        level = self._levels.get(key)
        if level is None:
            level = self._levels[key] = self._evaluator.levels[key].copy()
        return level

    def _refusal(self, level: LockedLevel, entry: Entry, delta: Decimal) -> Shortage | Problem | None:
        if entry.based_on not in (None, level.version):
            raise _OutdatedLevel()
        if not level.is_active:
            return UnknownWarehouse()
        if entry.reverses_id in self._evaluator.reversed_ids:
            return AlreadyReversed()
        if entry.expected is not None and level.on_hand != entry.expected:
            return StaleQuantity(quantity_number(level.on_hand))
        if not level.allows(delta, entry.reserved):
            self._evaluator.shortages.add(entry.level)
            return Shortage(entry.level, level.sku, max(-delta, entry.reserved), level.available)
        if exceeded := find_share_refusal(self._posting.authority, entry, level):
            # Expired reservations are released as for a shortage.
            self._evaluator.shortages.add(entry.level)
            return exceeded
        return None if level.is_recordable(delta, entry.reserved) else QuantityOutOfRange()

    def _apply(self, level: LockedLevel, entry: Entry, quantity: Decimal, stated: Stated) -> Change | Problem:
        before = level.on_hand
        try:
            valuation = level.valuate(quantity, stated) if quantity != ZERO else None
        except ValueOutOfRange:
            return QuantityOutOfRange()
        level.apply(entry, quantity, valuation)
        movement, movement_json = None, None
        if valuation is not None:
            movement = self._movement(level, entry, quantity, before, valuation)
            movement_json = self._add_movement(movement, level)
            self._reasons[entry.level] = movement.movement_type
        elif entry.reserved != ZERO:
            self._reasons[entry.level] = entry.reason
        return Change(
            entry=entry,
            sku=level.sku,
            before=before,
            balance=level.on_hand,
            reserved=level.reserved,
            value=ZERO if valuation is None else valuation.goods,
            level_value=level.value,
            unit_cost=None if movement is None else movement.unit_cost,
            average_cost=level.average_cost,
            movement_id=None if movement is None else movement.id,
            movement=movement_json,
        )

    def _movement(
        self, level: LockedLevel, entry: Entry, quantity: Decimal, before: Decimal, valuation: Valuation
    ) -> MovementRow:
        if entry.movement_type is None:
            raise ValueError(f"an entry that changes on_hand needs a movement type: {entry}")
        return MovementRow(
            id=next(self._evaluator.movement_ids),
            product_id=level.key.product_id,
            warehouse_id=level.key.warehouse_id,
            lot=level.key.lot,
            version=level.version,
            movement_type=entry.movement_type,
            quantity=quantity,
            before=before,
            balance=level.on_hand,
            unit_cost=rounded_cost(valuation.unit_cost),
            value=valuation.value,
            correction=valuation.correction,
            average_cost=level.average_cost,
            cost_stated=quantity < 0 and entry.unit_cost is not None,
            went_negative=quantity < 0 and level.on_hand < 0,
            reference_number=entry.reference_number,
            notes=entry.notes,
            document=self._document,
            reverses_id=entry.reverses_id,
            performed_by=self._posting.context.actor_id,
            occurred_at=entry.occurred_at or self._evaluator.events.now,
        )

    def _add_movement(self, movement: MovementRow, level: LockedLevel) -> str:
        """Add the movement and its events; return it as JSON."""
        self._movements.append(movement)
        events, context = self._evaluator.events, self._posting.context
        posted, payload = events.movement_posted(movement, level.sku, context)
        self._events.append(posted)
        baseline = level.baseline_for(movement.quantity)
        if (ratio := baseline.ratio_if_unusual(movement.quantity)) is not None:
            typical = baseline.typical_quantity
            self._events.append(events.activity_unusual(movement, level.sku, typical, ratio, context))
        level.observe(movement.quantity)
        return payload

    def accept(self, changes: DocumentChanges) -> None:
        """Add the posting to the write set; the postings after it see its levels."""
        evaluator, write_set, posting = self._evaluator, self._evaluator.write_set, self._posting
        # First whatever may raise, so that a failed posting leaves the write set as it was.
        events, updates = self._all_events(changes), self._versioned_updates(changes)
        write_set.movements += self._movements
        write_set.events += events
        for key in self._reasons:
            evaluator.levels[key] = write_set.levels[key] = self._levels[key]
        write_set.add_documents(changes.inserts, updates)
        evaluator.reversed_ids.update(entry.reverses_id for entry in posting.entries if entry.reverses_id is not None)
        for check in posting.checks:
            evaluator.versions[check.table, check.id] = check.version + 1
        if changes.is_stored:
            self._store_key(changes)

    def _store_key(self, changes: DocumentChanges) -> None:
        key, response = self._posting.key, changes.response
        if key is not None:
            headers = JsonText(json.dumps(dict(response.headers)))
            row = IdempotencyKeyRow(key.caller, key.key, key.fingerprint, response.status, response.body, headers)
            self._evaluator.write_set.idempotency_keys.append(row)
            self._evaluator.stored_keys[key.caller, key.key] = row

    def _all_events(self, changes: DocumentChanges) -> list[OutboxEvent]:
        evaluator, context = self._evaluator, self._posting.context
        events = self._events
        for key, reason in self._reasons.items():
            events += evaluator.events.level_changed(evaluator.levels[key], self._levels[key], reason, context)
        return events + [outbox.to_outbox_event(event, context) for event in changes.events]

    def _versioned_updates(self, changes: DocumentChanges) -> Mapping[str, Sequence[Row]]:
        """The updates, including the next version of every checked document."""
        rows = {(table, row["id"]): row for table, rows in changes.updates.items() for row in rows}
        for table, document_id, version in self._posting.checks:
            row = rows.get((table, document_id), {"id": document_id})
            rows[table, document_id] = {**row, "version": version + 1}
        updates: dict[str, list[Row]] = {}
        for (table, _), row in rows.items():
            updates.setdefault(table, []).append(row)
        return updates


def _stated_cost(entry: Entry, changes: Sequence[Change | Shortage | Problem]) -> Stated:
    if entry.value_from is None:
        return Stated(entry.unit_cost, entry.value)
    source = changes[entry.value_from]
    return Stated(source.unit_cost, -source.value) if isinstance(source, Change) else Stated(None)
