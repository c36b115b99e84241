"""What is told of movements and levels: the ledger's own events, ready for the outbox."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from stockbuddy.chassis import outbox
from stockbuddy.chassis.origin import Origin
from stockbuddy.chassis.outbox import OutboxRow
from stockbuddy.contracts.stock import (
    ActivityUnusual,
    LevelChanged,
    LevelDepleted,
    LevelLow,
    LevelRecovered,
    MovementPosted,
)
from stockbuddy.stock.ledger.books import Level
from stockbuddy.stock.ledger.postings import Entry

CROSSINGS = {"low": LevelLow, "depleted": LevelDepleted, "recovered": LevelRecovered}
QUANTITY_STEP = Decimal("0.001")


def movement_posted(
    movement_id: int,
    entry: Entry,
    level: Level,
    *,
    quantity: Decimal,
    before: Decimal,
    unit_cost: Decimal | None,
    went_negative: bool,
    document: str | None,
    now: datetime,
    origin: Origin,
) -> OutboxRow:
    """The line of the ledger that brought `level` to where it is; its payload is the line as the API shows it."""
    event = MovementPosted.model_construct(
        id=movement_id,
        product_id=entry.level.product_id,
        sku=level.sku,
        warehouse_id=entry.level.warehouse_id,
        lot=entry.level.lot,
        movement_type=entry.movement_type.value if entry.movement_type else "",
        quantity=quantity,
        before=before,
        balance=level.on_hand,
        unit_cost=unit_cost,
        average_cost=level.average_cost,
        reference_number=entry.reference_number,
        notes=entry.notes,
        document=document,
        performed_by=origin.actor_id,
        went_negative=went_negative,
        reverses_id=entry.reverses_id,
        occurred_at=entry.occurred_at or now,
        recorded_at=now,
    )
    return outbox.row(event, origin)


def activity_unusual(
    movement_id: int,
    entry: Entry,
    level: Level,
    *,
    quantity: Decimal,
    times: float,
    document: str | None,
    now: datetime,
    origin: Origin,
) -> OutboxRow:
    """A movement that is `times` as large as what the level was used to before it."""
    usual = Decimal(level.habit_of(quantity).usual).quantize(QUANTITY_STEP)
    event = ActivityUnusual(
        movement_id=movement_id,
        product_id=entry.level.product_id,
        sku=level.sku,
        warehouse_id=entry.level.warehouse_id,
        lot=entry.level.lot,
        movement_type=entry.movement_type.value if entry.movement_type else "",
        quantity=quantity,
        usual=usual,
        times=round(times, 1),
        performed_by=origin.actor_id,
        document=document,
        recorded_at=now,
    )
    return outbox.row(event, origin)


def level_changed(before: Level, after: Level, reason: str, now: datetime, origin: Origin) -> list[OutboxRow]:
    """That a posting changed a level, and each limit that it crossed."""
    state: dict[str, Any] = {
        "product_id": after.key.product_id,
        "sku": after.sku,
        "warehouse_id": after.key.warehouse_id,
        "lot": after.key.lot,
        "version": after.version,
        "before": before.on_hand,
        "delta": after.on_hand - before.on_hand,
        "on_hand": after.on_hand,
        "reserved": after.reserved,
        "average_cost": after.average_cost,
        "reason": str(reason),
        "changed_at": now,
    }
    rows = [outbox.row(LevelChanged.model_construct(**state), origin)]
    if after.on_hand != before.on_hand:
        for crossing in after.crossings():
            event = CROSSINGS[crossing].model_construct(**state, threshold=after.threshold)
            rows.append(outbox.row(event, origin))
    return rows
