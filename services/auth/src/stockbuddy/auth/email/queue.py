"""Adds e-mails to the queue, leases them, sets them aside and deletes them."""

from datetime import datetime, timedelta

from sqlalchemy import Select, delete, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.email.model import EmailKind, QueuedEmail
from stockbuddy.chassis.postgres.database import signal_on_commit
from stockbuddy.chassis.runtime.event_context import current_event_context

QUEUED = "email.queued"
"""The commit signal of transactions that queue an e-mail."""

MAX_RETRY_INTERVAL = timedelta(minutes=15)


async def queue_email(
    session: AsyncSession, kind: EmailKind, recipient: str, now: datetime, *, user_id: int | None = None
) -> None:
    """A unique index allows one waiting e-mail with a token per address and user; further ones have no effect."""
    context = current_event_context()
    statement = insert(QueuedEmail).values(
        kind=kind,
        recipient=recipient,
        user_id=user_id,
        request_id=context.request_id,
        client_ip=context.client_ip,
        queued_at=now,
        attempts=0,
        next_attempt_at=now,
    )
    await session.execute(statement.on_conflict_do_nothing())
    signal_on_commit(session, QUEUED)


async def lease_next_email(session: AsyncSession, now: datetime, lease: timedelta) -> QueuedEmail | None:
    """The next due e-mail; it becomes due again unless it is deleted or set aside before the lease expires. The lease
    grows with each attempt, so that no e-mail stays the first one. SKIP LOCKED lets several replicas send
    concurrently."""
    due = (
        select(QueuedEmail)
        .where(QueuedEmail.next_attempt_at <= now)
        .order_by(QueuedEmail.next_attempt_at, QueuedEmail.id)
        .limit(1)
    )
    queued = await session.scalar(due.with_for_update(skip_locked=True))
    if queued is not None:
        queued.attempts += 1
        queued.next_attempt_at = now + min(lease * queued.attempts, MAX_RETRY_INTERVAL)
    return queued


async def lock_email(session: AsyncSession, email_id: int) -> QueuedEmail | None:
    return await session.get(QueuedEmail, email_id, with_for_update=True, populate_existing=True)


def select_emails(*, failed: bool | None) -> Select[QueuedEmail]:
    """Waiting e-mails (`failed` false), those set aside (true), or both (null)."""
    if failed is None:
        return select(QueuedEmail)
    return select(QueuedEmail).where(QueuedEmail.failed_at.is_not(None) if failed else QueuedEmail.failed_at.is_(None))


async def has_other_delayed(session: AsyncSession, email_id: int) -> bool:
    """True if another waiting e-mail has failed before: the outage is known."""
    is_delayed = (QueuedEmail.id != email_id, QueuedEmail.failed_at.is_(None), QueuedEmail.last_error.is_not(None))
    return bool(await session.scalar(select(exists().where(*is_delayed))))


async def delete_email(session: AsyncSession, email_id: int) -> None:
    await session.execute(delete(QueuedEmail).where(QueuedEmail.id == email_id))


async def delete_failed(session: AsyncSession, *, before: datetime) -> None:
    """Delete e-mails that were set aside before that time."""
    await session.execute(delete(QueuedEmail).where(QueuedEmail.failed_at < before))
