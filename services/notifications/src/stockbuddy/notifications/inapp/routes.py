"""Routes of notifications: every user reads their own, admins create them."""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import UserSession, requires
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.notifications.audience import audiences_for
from stockbuddy.notifications.email.content import Content
from stockbuddy.notifications.errors import UnknownNotification, UnknownRecipient
from stockbuddy.notifications.inapp import commands, queries
from stockbuddy.notifications.inapp.model import Reader
from stockbuddy.notifications.inapp.schemas import (
    MarkAllReadResponse,
    NotificationCreate,
    NotificationFilter,
    NotificationPage,
    NotificationResponse,
)
from stockbuddy.notifications.preferences.queries import muted_kinds

router = APIRouter(prefix="/api/v1/notifications", tags=["notifications"], route_class=ConditionalRoute)


@router.get("")
async def list_notifications(
    caller: UserSession, session: ReadSession, filters: Annotated[NotificationFilter, Query()]
) -> NotificationPage:
    """List one's notifications.

    Those addressed to the user, to the user's role and to everyone, newest first. `unread_count` counts all unread
    ones, whatever the filters.
    """
    reader = await _reader_for(session, caller)
    found = await queries.list_notifications(session, reader, filters)
    page = found.to_page(filters, lambda row: NotificationResponse.from_model(row[0], row[1]))
    return NotificationPage(**page.__dict__, unread_count=await queries.count_unread(session, reader))


@router.post("", status_code=201, dependencies=[requires(Permission.ANNOUNCEMENT_WRITE)])
@raises(UnknownRecipient)
async def create_notification(body: NotificationCreate, session: Session) -> NotificationResponse:
    """Publish an announcement.

    To a user, a role, or everyone; it appears in their lists and streams at once, and is sent by e-mail to those
    who want that.
    """
    content = Content(body.title, body.body)
    notification = await commands.publish_announcement(session, body.audience, body.kind, content)
    return NotificationResponse.from_model(notification)


@router.post("/read-all")
async def mark_all_notifications_read(caller: UserSession, session: Session) -> MarkAllReadResponse:
    """Mark all notifications as read.

    Returns how many were unread.
    """
    return MarkAllReadResponse(read=await commands.mark_read(session, await _reader_for(session, caller)))


@router.get("/{notification_id}")
@raises(UnknownNotification)
async def get_notification(notification_id: Id, caller: UserSession, session: ReadSession) -> NotificationResponse:
    """Read a notification.

    `is_read` is that of the caller; reading it here does not mark it.
    """
    return await _load(session, await _reader_for(session, caller), notification_id)


@router.post("/{notification_id}/read")
@raises(UnknownNotification)
async def mark_notification_read(notification_id: Id, caller: UserSession, session: Session) -> NotificationResponse:
    """Mark a notification as read.

    For the caller only; marking it again changes nothing.
    """
    reader = await _reader_for(session, caller)
    await commands.mark_read(session, reader, notification_id)
    return await _load(session, reader, notification_id)


@router.post("/{notification_id}/unread")
@raises(UnknownNotification)
async def mark_notification_unread(notification_id: Id, caller: UserSession, session: Session) -> NotificationResponse:
    """Mark a notification as unread.

    For the caller only.
    """
    reader = await _reader_for(session, caller)
    await commands.mark_unread(session, reader, notification_id)
    return await _load(session, reader, notification_id)


async def _reader_for(session: AsyncSession, caller: Principal) -> Reader:
    return Reader(caller.user_id, audiences_for(caller), await muted_kinds(session, caller.user_id))


async def _load(session: AsyncSession, reader: Reader, notification_id: int) -> NotificationResponse:
    row = await queries.load_notification(session, reader, notification_id)
    return NotificationResponse.from_model(row[0], row[1])
