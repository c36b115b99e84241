"""Raises an alert: in the app of those whom its kind concerns, and by mail to those who want that."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.notifications.audience import of_role
from stockbuddy.notifications.inapp.commands import notify
from stockbuddy.notifications.kinds import HABITS, Kind
from stockbuddy.notifications.email.commands import queue_mails
from stockbuddy.notifications.email.content import Content


async def raise_alert(
    session: AsyncSession,
    cause: UUID,
    kind: Kind,
    content: Content,
    about_subject: str,
    audiences: Sequence[str] | None = None,
) -> None:
    """`cause` is the id of the event that it comes from; without `audiences` the kind's roles are told."""
    if audiences is None:
        audiences = [of_role(role) for role in HABITS[kind].roles]
    for audience in audiences:
        await notify(session, audience, kind, content.title, content.body, about_subject)
    await queue_mails(session, cause=cause, kind=kind, audiences=audiences, content=content)
