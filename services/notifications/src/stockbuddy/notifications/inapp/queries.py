"""Notifications as one reader sees them, with the time at which that reader read them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Row, Select, and_, delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.pagination import PageSlice, SortOrder, fetch_row_page
from stockbuddy.notifications.errors import UnknownNotification
from stockbuddy.notifications.inapp.model import Notification, NotificationRead, Reader
from stockbuddy.notifications.inapp.schemas import NotificationFilter

ReadNotification = Row[Notification, datetime | None]
"""A notification and the reader's `read_at`."""

_NEWEST_FIRST = SortOrder("id_desc", (Notification.id,), descending=True)


async def list_notifications(
    session: AsyncSession, reader: Reader, filters: NotificationFilter
) -> PageSlice[ReadNotification]:
    """Newest first."""
    statement = _visible_to(reader)
    if filters.unread is not None:
        read_at = NotificationRead.read_at
        statement = statement.where(read_at.is_(None) if filters.unread else read_at.is_not(None))
    if filters.kind is not None:
        statement = statement.where(Notification.kind == filters.kind)
    return await fetch_row_page(session, statement, _NEWEST_FIRST, filters)


async def count_unread(session: AsyncSession, reader: Reader) -> int:
    statement = _visible_to(reader).where(NotificationRead.read_at.is_(None))
    return await session.scalar(select(func.count()).select_from(statement.subquery())) or 0


async def load_notification(session: AsyncSession, reader: Reader, notification_id: int) -> ReadNotification:
    """Raises UnknownNotification, also if it is not addressed to the reader."""
    statement = _visible_to(reader).where(Notification.id == notification_id)
    row: ReadNotification | None = (await session.execute(statement)).one_or_none()
    if row is None:
        raise UnknownNotification()
    return row


async def mark_read(session: AsyncSession, reader: Reader, notification_id: int | None = None) -> Sequence[int]:
    """Mark one notification, or all of the reader's; returns the ids of those that were unread."""
    unread = _visible_to(reader).where(NotificationRead.read_at.is_(None))
    if notification_id is not None:
        unread = unread.where(Notification.id == notification_id)
    marks = unread.with_only_columns(literal(reader.user_id), Notification.id)
    statement = insert(NotificationRead).from_select(["user_id", "notification_id"], marks).on_conflict_do_nothing()
    return sorted(await session.scalars(statement.returning(NotificationRead.notification_id)))


async def mark_unread(session: AsyncSession, reader: Reader, notification_id: int) -> Sequence[int]:
    """Returns the id if it was read."""
    statement = delete(NotificationRead).where(
        NotificationRead.user_id == reader.user_id, NotificationRead.notification_id == notification_id
    )
    return (await session.scalars(statement.returning(NotificationRead.notification_id))).all()


def _visible_to(reader: Reader) -> Select[Notification, datetime]:
    is_read = and_(NotificationRead.notification_id == Notification.id, NotificationRead.user_id == reader.user_id)
    return (
        select(Notification, NotificationRead.read_at)
        .select_from(Notification)
        .outerjoin(NotificationRead, is_read)
        .where(Notification.audience.in_(reader.audiences), Notification.kind.not_in(reader.muted))
    )
