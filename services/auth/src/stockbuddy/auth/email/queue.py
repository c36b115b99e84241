"""Adds e-mails to the queue, leases them and deletes them."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.email.model import EmailKind, QueuedEmail
from stockbuddy.chassis.postgres.database import signal_on_commit
from stockbuddy.chassis.runtime.event_context import current_event_context

QUEUED = "email.queued"
"""The commit signal of transactions that queue an e-mail."""


async def queue_email(session: AsyncSession, kind: EmailKind, recipient: str, now: datetime) -> None:
    """A unique index allows one waiting password reset per address; further requests have no effect."""
    context = current_event_context()
    statement = insert(QueuedEmail).values(
        kind=kind,
        recipient=recipient,
        request_id=context.request_id,
        client_ip=context.client_ip,
        queued_at=now,
        attempts=0,
        next_attempt_at=now,
    )
    await session.execute(statement.on_conflict_do_nothing())
    signal_on_commit(session, QUEUED)


async def lease_next_email(session: AsyncSession, now: datetime, lease: timedelta) -> QueuedEmail | None:
    """The next due e-mail; it becomes due again unless it is deleted before the lease expires. The lease grows with
    each attempt. SKIP LOCKED lets several replicas send concurrently."""
    due = (
        select(QueuedEmail)
        .where(QueuedEmail.next_attempt_at <= now)
        .order_by(QueuedEmail.next_attempt_at, QueuedEmail.id)
        .limit(1)
    )
    queued = await session.scalar(due.with_for_update(skip_locked=True))
    if queued is not None:
        queued.attempts += 1
        queued.next_attempt_at = now + lease * queued.attempts
    return queued


async def delete_email(session: AsyncSession, email_id: int) -> None:
    await session.execute(delete(QueuedEmail).where(QueuedEmail.id == email_id))
