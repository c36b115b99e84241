"""Queues mails in the transaction of what they tell of."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.notifications.kinds import HABITS, Kind
from stockbuddy.notifications.email import queries
from stockbuddy.notifications.email.content import Content
from stockbuddy.notifications.news import announce_after_commit


async def queue_mails(
    session: AsyncSession, *, cause: UUID, kind: Kind, audiences: Sequence[str], content: Content
) -> None:
    """To those of the audiences who want mail of this kind, and to the settings' addresses if they get this kind.
    `cause` is the event's id: what was queued for it before is not queued again."""
    habit = HABITS[kind]
    await queries.queue(
        session,
        cause=cause,
        kind=kind,
        audiences=audiences,
        content=content,
        by_habit=habit.email,
        to_alert_emails=habit.by_alert_emails,
    )
    announce_after_commit(session)
