"""Queues e-mails in the transaction of the notification that they contain."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.postgres.database import signal_on_commit
from stockbuddy.notifications.email import queries
from stockbuddy.notifications.email.content import Content
from stockbuddy.notifications.kinds import Kind

QUEUED = "email.queued"
"""The commit signal of transactions that queue e-mails."""


async def queue_emails(
    session: AsyncSession, *, cause: UUID, kind: Kind, audiences: Sequence[str], content: Content
) -> None:
    """Queue an e-mail to each user of the audiences who wants this kind by e-mail, and to the alert addresses if they
    receive this kind. At most one per `cause` (an event id) and recipient."""
    await queries.insert_emails(session, cause, kind, audiences, content)
    signal_on_commit(session, QUEUED)
