"""Records failures of e-mails: the e-mail's own, which set it aside, and outages of the mail server."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.email import queue
from stockbuddy.auth.email.model import QueuedEmail
from stockbuddy.auth.errors import EmailNotFound, EmailWaiting
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.postgres.database import signal_on_commit
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.auth import EmailFailed, EmailsDelayed


def set_aside(session: AsyncSession, email: QueuedEmail, reason: str, now: datetime) -> None:
    """`email` is locked. It is not sent unless an admin retries it."""
    email.last_error = reason
    email.failed_at = now
    email.next_attempt_at = None
    outbox.add(
        session,
        EmailFailed(
            email_id=email.id,
            kind=email.kind,
            recipient=email.recipient,
            user_id=email.user_id,
            attempts=email.attempts,
            reason=reason,
        ),
    )


async def record_outage(session: AsyncSession, email: QueuedEmail, reason: str) -> None:
    """`email` is locked. The first e-mail of an outage publishes it."""
    if email.last_error is None and not await queue.has_other_delayed(session, email.id):
        outbox.add(session, EmailsDelayed(waiting_since=email.queued_at, reason=reason))
    email.last_error = reason


async def retry_email(session: AsyncSession, email_id: int) -> QueuedEmail:
    """Queue an e-mail again that was set aside. Raises EmailNotFound or EmailWaiting."""
    email = await queue.lock_email(session, email_id)
    if email is None:
        raise EmailNotFound()
    if email.failed_at is None:
        raise EmailWaiting()
    email.queued_at = email.next_attempt_at = clock.now()
    email.failed_at = None
    email.attempts = 0
    signal_on_commit(session, queue.QUEUED)
    return email
