"""Webhooks and their deliveries: lists, and what the sender reads and writes in bulk."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.notifications.listing import Window
from stockbuddy.notifications.webhooks.model import Webhook

KEPT_ATTEMPTS = 50
"""So many of the latest attempts stay in a delivery's log."""

DeliveryState = Literal["pending", "delivered", "failed"]

_COUNT = text("SELECT count(*) FROM webhook")
_SERIALIZE_CREATION = text("SELECT pg_advisory_xact_lock(hashtext('notifications.webhook'))")

_DELIVERY = """
    d.id, d.webhook_id, CAST(d.event_id AS text) AS event_id, d.event_type, d.state, d.attempts, d.next_attempt_at,
    CAST(array_to_json(d.log) AS text) AS log, d.created_at, d.finished_at
"""
_ONE_DELIVERY = text(f"SELECT {_DELIVERY} FROM webhook_delivery d WHERE d.webhook_id = :webhook_id AND d.id = :id")
# One that is on its way just now has begun an attempt that is not in its log yet.
_DELIVER_AGAIN = text(f"""
    UPDATE webhook_delivery d SET state = 'pending', tries = 0, next_attempt_at = now(), finished_at = NULL
    WHERE d.webhook_id = :webhook_id AND d.id = :id
      AND (d.state <> 'pending' OR cardinality(d.log) = least(d.attempts, :kept))
    RETURNING {_DELIVERY}
""")
_ADD_SAMPLE = text(f"""
    INSERT INTO webhook_delivery AS d (webhook_id, event_id, event_type, sample)
    VALUES (:webhook_id, CAST(:event_id AS uuid), :event_type, CAST(:sample AS json))
    RETURNING {_DELIVERY}
""")


@dataclass(frozen=True, slots=True)
class Delivery:
    """`log` is the JSON text of the list of attempts, oldest first."""

    id: int
    webhook_id: int
    event_id: str
    event_type: str
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime
    log: str
    created_at: datetime
    finished_at: datetime | None


async def count_webhooks(session: AsyncSession) -> int:
    return await session.scalar(_COUNT) or 0


async def count_before_creation(session: AsyncSession) -> int:
    """Nobody else creates one until the transaction ends."""
    await session.execute(_SERIALIZE_CREATION)
    return await count_webhooks(session)


async def list_webhooks(session: AsyncSession, window: Window) -> Sequence[Webhook]:
    """Newest first."""
    statement = select(Webhook).order_by(Webhook.id.desc()).limit(window.size + 1)
    if window.before is None:
        statement = statement.offset(window.offset)
    else:
        statement = statement.where(Webhook.id < window.before)
    return (await session.scalars(statement)).all()


async def find_webhook(session: AsyncSession, webhook_id: int) -> Webhook | None:
    return await session.get(Webhook, webhook_id)


async def lock_webhook(session: AsyncSession, webhook_id: int) -> Webhook | None:
    return await session.get(Webhook, webhook_id, with_for_update=True)


async def list_deliveries(
    session: AsyncSession, webhook_id: int, window: Window, state: DeliveryState | None
) -> list[Delivery]:
    """Newest first."""
    conditions, values = _narrowed(webhook_id, state)
    statement = text(f"SELECT {_DELIVERY} {conditions} {window.clause('d.id')}")
    rows = await session.execute(statement, values | window.values)
    return [Delivery(*row) for row in rows]


async def count_deliveries(session: AsyncSession, webhook_id: int, state: DeliveryState | None) -> int:
    conditions, values = _narrowed(webhook_id, state)
    return await session.scalar(text(f"SELECT count(*) {conditions}"), values) or 0


async def find_delivery(session: AsyncSession, webhook_id: int, delivery_id: int) -> Delivery | None:
    row = (await session.execute(_ONE_DELIVERY, {"webhook_id": webhook_id, "id": delivery_id})).one_or_none()
    return Delivery(*row) if row else None


async def deliver_again(session: AsyncSession, webhook_id: int, delivery_id: int) -> Delivery | None:
    """None when there is no such delivery, or it is on its way just now."""
    values = {"webhook_id": webhook_id, "id": delivery_id, "kept": KEPT_ATTEMPTS}
    row = (await session.execute(_DELIVER_AGAIN, values)).one_or_none()
    return Delivery(*row) if row else None


async def add_sample(session: AsyncSession, webhook_id: int, event_id: str, event_type: str, sample: str) -> Delivery:
    """A delivery of something that never happened, made up to try the webhook."""
    values = {"webhook_id": webhook_id, "event_id": event_id, "event_type": event_type, "sample": sample}
    return Delivery(*(await session.execute(_ADD_SAMPLE, values)).one())


def _narrowed(webhook_id: int, state: DeliveryState | None) -> tuple[str, dict[str, Any]]:
    if state is None:
        return "FROM webhook_delivery d WHERE d.webhook_id = :webhook_id", {"webhook_id": webhook_id}
    return (
        "FROM webhook_delivery d WHERE d.webhook_id = :webhook_id AND d.state = :state",
        {"webhook_id": webhook_id, "state": state},
    )
