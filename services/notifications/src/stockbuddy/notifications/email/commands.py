"""Queues e-mails for the recipients of a notification, sets failed ones aside, and records outages of the server."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.postgres.database import signal_on_commit
from stockbuddy.chassis.runtime.traces import is_tracing_enabled
from stockbuddy.contracts.notifications import (
    NotificationEmailFailed,
    NotificationEmailRetried,
    NotificationEmailsDelayed,
)
from stockbuddy.notifications.email import queries
from stockbuddy.notifications.email.content import EmailDetails
from stockbuddy.notifications.email.model import QueuedEmail
from stockbuddy.notifications.email.queries import LeasedEmail
from stockbuddy.notifications.errors import EmailNotFailed, UnknownEmail
from stockbuddy.notifications.kinds import Kind

QUEUED = "email.queued"
"""The commit signal of transactions that queue e-mails."""


async def queue_emails(
    session: AsyncSession,
    *,
    cause: UUID,
    kind: Kind,
    audiences: Sequence[str],
    email: EmailDetails,
    traceparent: str | None,
) -> None:
    """Queue an e-mail to each user of the audiences who wants this kind by e-mail, and to the alert addresses if they
    receive this kind. At most one per `cause` (an event id) and recipient, and not more often than the kind allows.
    `traceparent`: of the cause."""
    if not is_tracing_enabled():
        traceparent = None  # replicas of the previous release do not know the attribute
    await queries.insert_emails(session, cause, kind, audiences, email, traceparent=traceparent)
    signal_on_commit(session, QUEUED)


async def set_aside(session: AsyncSession, email: LeasedEmail, reason: str) -> None:
    """It is not sent unless an admin retries it."""
    await queries.complete(session, email.message_id, "failed", reason)
    outbox.add(
        session,
        NotificationEmailFailed(
            message_id=email.message_id,
            kind=email.kind,
            recipient=email.recipient,
            attempts=email.attempts,
            reason=reason,
        ),
    )


async def record_outage(session: AsyncSession, reason: str) -> None:
    """All e-mails wait. The first record of an outage publishes it."""
    outage = await queries.record_outage(session, reason)
    if outage is not None:
        outbox.add(session, NotificationEmailsDelayed(waiting_since=outage, reason=reason))


async def retry_email(session: AsyncSession, email_id: int) -> QueuedEmail:
    """Queue a failed e-mail again, as a new message. Raises UnknownEmail, EmailNotFailed."""
    email = await queries.lock_email(session, email_id)
    if email is None:
        raise UnknownEmail()
    if email.state != "failed":
        raise EmailNotFailed()
    email.retry()
    signal_on_commit(session, QUEUED)
    outbox.add(session, NotificationEmailRetried(email_id=email.id, kind=email.kind, recipient=email.recipient))
    return email
