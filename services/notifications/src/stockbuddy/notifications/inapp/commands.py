"""Tells people things, and remembers what they have read."""

from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging import outbox
from stockbuddy.contracts.notifications import AnnouncementPublished, NotificationCreated, NotificationsRead
from stockbuddy.notifications.audience import user_of
from stockbuddy.notifications.errors import UnknownRecipient
from stockbuddy.notifications.inapp import queries
from stockbuddy.notifications.inapp.queries import Notification, Reader
from stockbuddy.notifications.kinds import Kind
from stockbuddy.notifications.email.commands import queue_mails
from stockbuddy.notifications.email.content import Content
from stockbuddy.notifications.replicas.users import is_known

IDS_PER_EVENT = 1000


async def notify(
    session: AsyncSession, audience: str, kind: Kind, title: str, body: str, about_subject: str | None = None
) -> Notification:
    """Put it in front of the audience, on their streams too."""
    notification = await queries.add_notification(session, audience, kind, title, body, about_subject)
    outbox.add(
        session,
        NotificationCreated(
            notification_id=notification.id,
            audience=audience,
            kind=kind,
            title=title,
            body=body,
            about_subject=about_subject,
            created_at=notification.created_at,
        ),
    )
    return notification


async def announce(session: AsyncSession, audience: str, kind: Kind, title: str, body: str) -> Notification:
    """A person tells others something. Raises UnknownRecipient."""
    user_id = user_of(audience)
    if user_id is not None and not await is_known(session, user_id):
        raise UnknownRecipient()
    notification = await notify(session, audience, kind, title, body)
    outbox.add(
        session,
        AnnouncementPublished(notification_id=notification.id, audience=audience, kind=kind, title=title, body=body),
    )
    await queue_mails(session, cause=uuid4(), kind=kind, audiences=[audience], content=Content(title, body))
    return notification


async def read_notifications(session: AsyncSession, reader: Reader, notification_id: int | None = None) -> int:
    """One notification, or all of the reader's; how many were unread."""
    ids = await queries.mark_read(session, reader, notification_id)
    for start in range(0, len(ids), IDS_PER_EVENT):
        part = list(ids[start : start + IDS_PER_EVENT])
        outbox.add(session, NotificationsRead(user_id=reader.user_id, notification_ids=part))
    return len(ids)


async def put_back(session: AsyncSession, reader: Reader, notification_id: int) -> None:
    """Among the unread."""
    if ids := await queries.mark_unread(session, reader, notification_id):
        outbox.add(session, NotificationsRead(user_id=reader.user_id, notification_ids=list(ids), unread=True))
