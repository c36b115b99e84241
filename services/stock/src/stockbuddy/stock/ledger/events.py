"""Builds the ledger's events for the outbox.

Every movement publishes a MovementPosted and a LevelChanged, so these are serialised by hand, five times faster than by
Pydantic; tests/ledger/test_events.py compares them with their models. The rare ones are built from the models.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from json.encoder import encode_basestring_ascii as _quoted

from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.messaging.outbox import OutboxEvent
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
from stockbuddy.stock.ledger.locked_level import LockedLevel
from stockbuddy.stock.ledger.rows import MovementRow

_CROSSING_EVENTS = {"low": LevelLow, "depleted": LevelDepleted, "recovered": LevelRecovered}
_QUANTITY_STEP = Decimal("0.001")


class LedgerEventWriter:
    """Writes the events of one transaction, all with its time."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._now = _utc_text(now)

    def movement_posted(self, movement: MovementRow, sku: str, context: EventContext) -> tuple[OutboxEvent, str]:
        """The event and its payload, which is the movement as the API returns it."""
        occurred_at = self._now if movement.occurred_at is self.now else _utc_text(movement.occurred_at)
        payload = (
            f'{{"id":{movement.id},"product_id":{movement.product_id},"sku":{_quoted(sku)},'
            f'"warehouse_id":{movement.warehouse_id},"lot":{movement.lot},"movement_type":"{movement.movement_type}",'
            f'"quantity":{quantity_text(movement.quantity)},"before":{quantity_text(movement.before)},'
            f'"balance":{quantity_text(movement.balance)},"unit_cost":{_money(movement.unit_cost)},'
            f'"value":"{money_text(movement.value)}","correction":"{money_text(movement.correction)}",'
            f'"average_cost":{_money(movement.average_cost)},"reference_number":{_text(movement.reference_number)},'
            f'"notes":{_text(movement.notes)},"document":{_text(movement.document)},'
            f'"performed_by":{_number(movement.performed_by)},"went_negative":{_boolean(movement.went_negative)},'
            f'"reverses_id":{_number(movement.reverses_id)},"occurred_at":"{occurred_at}","recorded_at":"{self._now}"}}'
        )
        subject = f"product/{movement.product_id}"
        return outbox.prebuilt_event(MovementPosted, subject, movement.id, payload, context, self._now), payload

    def level_changed(
        self, before: LockedLevel, after: LockedLevel, reason: str, context: EventContext
    ) -> list[OutboxEvent]:
        """Events for a changed level: LevelChanged, plus one per threshold crossed."""
        key = after.key
        subject = f"product/{key.product_id}"
        state = (
            f'{{"product_id":{key.product_id},"sku":{_quoted(after.sku)},"warehouse_id":{key.warehouse_id},'
            f'"lot":{key.lot},"version":{after.version},"before":{quantity_text(before.on_hand)},'
            f'"delta":{quantity_text(after.on_hand - before.on_hand)},"on_hand":{quantity_text(after.on_hand)},'
            f'"reserved":{quantity_text(after.reserved)},"value":"{money_text(after.value)}",'
            f'"average_cost":{_money(after.average_cost)},'
            f'"reason":{_quoted(reason)},"changed_at":"{self._now}"'
        )
        rows = [outbox.prebuilt_event(LevelChanged, subject, after.version, state + "}", context, self._now)]
        if after.on_hand != before.on_hand:
            for crossing in after.cross_thresholds():
                payload = f'{state},"threshold":{quantity_text(after.threshold)}}}'
                event_type = _CROSSING_EVENTS[crossing]
                rows.append(outbox.prebuilt_event(event_type, subject, after.version, payload, context, self._now))
        return rows

    def activity_unusual(
        self, movement: MovementRow, sku: str, typical: float, ratio: float, context: EventContext
    ) -> OutboxEvent:
        """`typical`: the typical quantity before the movement; `ratio`: how many times as large the movement is."""
        event = ActivityUnusual(
            movement_id=movement.id,
            product_id=movement.product_id,
            sku=sku,
            warehouse_id=movement.warehouse_id,
            lot=movement.lot,
            movement_type=str(movement.movement_type),
            quantity=movement.quantity,
            typical_quantity=Decimal(typical).quantize(_QUANTITY_STEP),
            ratio=round(ratio, 1),
            performed_by=movement.performed_by,
            document=movement.document,
            recorded_at=self.now,
        )
        return outbox.to_outbox_event(event, context)


def _utc_text(time: datetime) -> str:
    """As Pydantic serialises a time in UTC."""
    return time.isoformat().replace("+00:00", "Z")


def _text(value: str | None) -> str:
    return "null" if value is None else _quoted(value)


def _money(value: Decimal | None) -> str:
    return "null" if value is None else f'"{money_text(value)}"'


def _number(value: int | None) -> str:
    return "null" if value is None else str(value)


def _boolean(value: bool) -> str:
    return "true" if value else "false"
