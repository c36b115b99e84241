"""The hand-built events equal their Pydantic models."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stockbuddy.chassis.messaging.chunks import to_message
from stockbuddy.chassis.runtime.event_context import EventContext
from stockbuddy.contracts.stock import LevelChanged, LevelLow, MovementPosted
from stockbuddy.stock.ledger import LevelKey, MovementType
from stockbuddy.stock.ledger.anomaly import MovementBaseline
from stockbuddy.stock.ledger.events import LedgerEventWriter
from stockbuddy.stock.ledger.locked_level import LockedLevel
from stockbuddy.stock.ledger.rows import MovementRow

texts = st.none() | st.text(st.characters(blacklist_categories=["Cs"]), max_size=20)
numbers = st.integers(-4 * 10**14, 4 * 10**14).map(lambda thousandths: Decimal(thousandths).scaleb(-3))
values = st.integers(-(10**27), 10**27).map(lambda parts: Decimal(parts).scaleb(-10))
amounts = st.none() | st.integers(0, 10**14).map(lambda parts: Decimal(parts).scaleb(-4))
times = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


def level(sku: str, on_hand: Decimal, reserved: Decimal, average: Decimal | None) -> LockedLevel:
    return LockedLevel(
        key=LevelKey(42, 7, 3),
        sku=sku,
        threshold=Decimal("10.000"),
        cost_price=None,
        on_hand=on_hand,
        reserved=reserved,
        version=5,
        value=on_hand,
        last_cost=average,
        is_low=False,
        is_depleted=False,
        taken=MovementBaseline(),
        added=MovementBaseline(),
        owner_id=1,
        alerts=True,
    )


@given(
    quantity=numbers,
    before=numbers,
    cost=amounts,
    value=values,
    notes=texts,
    sku=st.text(min_size=1),
    now=times,
    late=times,
)
def test_movement_event_equals_its_model(
    quantity: Decimal,
    before: Decimal,
    cost: Decimal | None,
    value: Decimal,
    notes: str | None,
    sku: str,
    now: datetime,
    late: datetime,
) -> None:
    sku = sku.encode("utf-8", "replace").decode()
    movement = MovementRow(
        id=17,
        product_id=42,
        warehouse_id=7,
        lot=3,
        version=5,
        movement_type=MovementType.SALE,
        quantity=quantity,
        before=before,
        balance=before + quantity,
        unit_cost=cost,
        value=value,
        correction=-value,
        average_cost=cost,
        cost_stated=False,
        went_negative=True,
        reference_number=notes,
        notes=notes,
        document=notes,
        reverses_id=None,
        performed_by=5,
        occurred_at=late,
    )
    posted, payload = LedgerEventWriter(now).movement_posted(movement, sku, EventContext(actor_id=5))
    message = to_message(posted.text)
    assert message.body.decode() == payload
    event: dict[str, Any] = json.loads(payload)
    model = MovementPosted.model_validate_json(payload)
    assert list(event) == list(MovementPosted.model_fields)
    assert event == json.loads(model.model_dump_json())
    assert (model.quantity, model.balance, model.unit_cost) == (quantity, before + quantity, cost)
    assert model.value == value
    assert (model.sku, model.notes, model.occurred_at, model.recorded_at) == (sku, notes, late, now)
    assert message.headers["actorid"] == "5"


@given(before=numbers, on_hand=numbers, reserved=numbers, cost=amounts, now=times)
def test_level_event_equals_its_model(
    before: Decimal, on_hand: Decimal, reserved: Decimal, cost: Decimal | None, now: datetime
) -> None:
    old, new = level("A", before, reserved, cost), level("A", on_hand, reserved, cost)
    message = to_message(LedgerEventWriter(now).level_changed(old, new, "sale", EventContext())[0].text)
    model = LevelChanged.model_validate_json(message.body)
    assert json.loads(message.body) == json.loads(model.model_dump_json())
    assert list(json.loads(message.body)) == list(LevelChanged.model_fields)
    assert (model.before, model.delta, model.on_hand, model.reserved) == (before, on_hand - before, on_hand, reserved)
    assert (model.changed_at, message.headers["sequence"]) == (now, "5")


def test_threshold_event_equals_its_model() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(microseconds=1)
    events = LedgerEventWriter(now).level_changed(
        level("A", Decimal(20), Decimal(0), None), level("A", Decimal("9.5"), Decimal(0), None), "out", EventContext()
    )
    [low] = [to_message(event.text).body for event in events if event.type == LevelLow.type]
    model = LevelLow.model_validate_json(low)
    assert json.loads(low) == json.loads(model.model_dump_json())
    assert model.threshold == 10
