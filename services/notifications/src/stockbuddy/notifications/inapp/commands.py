"""Creates notifications and marks them as read or unread."""

from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime.event_context import current_event_context
from stockbuddy.contracts.notifications import AnnouncementPublished, NotificationCreated, NotificationsRead
from stockbuddy.notifications.alert_text import AlertText
from stockbuddy.notifications.audience import find_user_id
from stockbuddy.notifications.email.commands import queue_emails
from stockbuddy.notifications.email.content import Content, EmailDetails
from stockbuddy.notifications.errors import UnknownRecipient
from stockbuddy.notifications.inapp import queries
from stockbuddy.notifications.inapp.model import Notification, Reader
from stockbuddy.notifications.kinds import Kind
from stockbuddy.notifications.replicas.users import user_exists

MAX_IDS_PER_EVENT = 1000


async def notify(
    session: AsyncSession,
    audience: str,
    kind: Kind,
    content: Content,
    about_subject: str | None = None,
    text: AlertText | None = None,
) -> Notification:
    """Create a notification; its event delivers it to the streams of the audience. `text`: of an alert."""
    notification = Notification(
        audience=audience,
        kind=kind,
        title=content.title,
        body=content.body,
        about_subject=about_subject,
        text_code=text and text.code,
        text_values=dict(text.values) if text else {},
    )
    session.add(notification)
    await session.flush()
    outbox.add(
        session,
        NotificationCreated(
            notification_id=notification.id,
            audience=audience,
            kind=kind,
            title=content.title,
            body=content.body,
            about_subject=about_subject,
            created_at=notification.created_at,
        ),
    )
    return notification


async def publish_announcement(session: AsyncSession, audience: str, kind: Kind, content: Content) -> Notification:
    """A notification written by an admin, also sent by e-mail. Raises UnknownRecipient."""
    user_id = find_user_id(audience)
    if user_id is not None and not await user_exists(session, user_id):
        raise UnknownRecipient()
    notification = await notify(session, audience, kind, content)
    announcement = AnnouncementPublished(
        notification_id=notification.id, audience=audience, kind=kind, title=content.title, body=content.body
    )
    outbox.add(session, announcement)
    traceparent = current_event_context().traceparent
    await queue_emails(
        session, cause=uuid4(), kind=kind, audiences=[audience], email=EmailDetails(content), traceparent=traceparent
    )
    return notification


async def mark_read(session: AsyncSession, reader: Reader, notification_id: int | None = None) -> int:
    """Mark one notification, or all of the reader's; returns how many were unread."""
    ids = await queries.mark_read(session, reader, notification_id)
    for start in range(0, len(ids), MAX_IDS_PER_EVENT):
        part = list(ids[start : start + MAX_IDS_PER_EVENT])
        outbox.add(session, NotificationsRead(user_id=reader.user_id, notification_ids=part))
    return len(ids)


async def mark_unread(session: AsyncSession, reader: Reader, notification_id: int) -> None:
    if ids := await queries.mark_unread(session, reader, notification_id):
        outbox.add(session, NotificationsRead(user_id=reader.user_id, notification_ids=list(ids), unread=True))
