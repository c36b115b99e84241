"""What is told of movements and levels: the ledger's own events, ready for the outbox.

Every movement makes two of them, so the two are written as JSON by hand, in a fifth of the time that their models
take; a test holds them to the models. The rare ones are made from the models.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from json.encoder import encode_basestring_ascii as _quoted

from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.messaging.outbox import OutboxRow
from stockbuddy.chassis.runtime.event_context import EventContext
from stockbuddy.contracts.numbers import money_text, quantity_text
from stockbuddy.contracts.stock import (
    ActivityUnusual,
    LevelChanged,
    LevelDepleted,
    LevelLow,
    LevelRecovered,
    MovementPosted,
)
from stockbuddy.stock.ledger.locked_level import Level
from stockbuddy.stock.ledger.postings import Entry

CROSSINGS = {"low": LevelLow, "depleted": LevelDepleted, "recovered": LevelRecovered}
QUANTITY_STEP = Decimal("0.001")


@dataclass(slots=True)
class Moved:
    """What one movement did, on the way to its line in the ledger."""

    id: int
    entry: Entry
    quantity: Decimal
    before: Decimal
    unit_cost: Decimal | None
    went_negative: bool
    document: str | None


class Announcer:
    """Tells what happens in one transaction, at its time."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._now = _moment(now)

    def movement_posted(self, moved: Moved, level: Level, origin: EventContext) -> OutboxRow:
        """The line of the ledger that brought `level` to where it is; its payload is the line as the API shows it."""
        entry, key = moved.entry, level.key
        occurred_at = self._now if entry.occurred_at is None else _moment(entry.occurred_at)
        payload = (
            f'{{"id":{moved.id},"product_id":{key.product_id},"sku":{_quoted(level.sku)},'
            f'"warehouse_id":{key.warehouse_id},"lot":{key.lot},"movement_type":"{entry.movement_type}",'
            f'"quantity":{quantity_text(moved.quantity)},"before":{quantity_text(moved.before)},'
            f'"balance":{quantity_text(level.on_hand)},"unit_cost":{_money(moved.unit_cost)},'
            f'"average_cost":{_money(level.average_cost)},"reference_number":{_text(entry.reference_number)},'
            f'"notes":{_text(entry.notes)},"document":{_text(moved.document)},'
            f'"performed_by":{_number(origin.actor_id)},"went_negative":{"true" if moved.went_negative else "false"},'
            f'"reverses_id":{_number(entry.reverses_id)},"occurred_at":"{occurred_at}","recorded_at":"{self._now}"}}'
        )
        return outbox.prebuilt_row(MovementPosted, f"product/{key.product_id}", None, payload, origin, self._now)

    def level_changed(self, before: Level, after: Level, reason: str, origin: EventContext) -> list[OutboxRow]:
        """That a posting changed a level, and each limit that it crossed."""
        key = after.key
        subject = f"product/{key.product_id}"
        state = (
            f'{{"product_id":{key.product_id},"sku":{_quoted(after.sku)},"warehouse_id":{key.warehouse_id},'
            f'"lot":{key.lot},"version":{after.version},"before":{quantity_text(before.on_hand)},'
            f'"delta":{quantity_text(after.on_hand - before.on_hand)},"on_hand":{quantity_text(after.on_hand)},'
            f'"reserved":{quantity_text(after.reserved)},"average_cost":{_money(after.average_cost)},'
            f'"reason":{_quoted(reason)},"changed_at":"{self._now}"'
        )
        rows = [outbox.prebuilt_row(LevelChanged, subject, after.version, state + "}", origin, self._now)]
        if after.on_hand != before.on_hand:
            for crossing in after.crossings():
                payload = f'{state},"threshold":{quantity_text(after.threshold)}}}'
                kind = CROSSINGS[crossing]
                rows.append(outbox.prebuilt_row(kind, subject, after.version, payload, origin, self._now))
        return rows

    def activity_unusual(self, moved: Moved, level: Level, times: float, origin: EventContext) -> OutboxRow:
        """A movement that is `times` as large as what the level was used to before it."""
        usual = Decimal(level.habit_of(moved.quantity).usual).quantize(QUANTITY_STEP)
        event = ActivityUnusual(
            movement_id=moved.id,
            product_id=level.key.product_id,
            sku=level.sku,
            warehouse_id=level.key.warehouse_id,
            lot=level.key.lot,
            movement_type=str(moved.entry.movement_type),
            quantity=moved.quantity,
            typical_quantity=usual,
            ratio=round(times, 1),
            performed_by=origin.actor_id,
            document=moved.document,
            recorded_at=self.now,
        )
        return outbox.row(event, origin)


def _moment(moment: datetime) -> str:
    """In UTC, as the models spell it."""
    return moment.isoformat().replace("+00:00", "Z")


def _text(value: str | None) -> str:
    return "null" if value is None else _quoted(value)


def _money(value: Decimal | None) -> str:
    return "null" if value is None else f'"{money_text(value)}"'


def _number(value: int | None) -> str:
    return "null" if value is None else str(value)
