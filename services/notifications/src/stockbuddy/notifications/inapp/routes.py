"""HTTP of notifications: everybody reads their own, admins make them."""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.authentication import Admin, Caller
from stockbuddy.chassis.http.tokens import Principal, Role
from stockbuddy.chassis.http.pagination import PageParameters
from stockbuddy.notifications.audience import heard_by, role_of, user_of
from stockbuddy.notifications.errors import UnknownNotification
from stockbuddy.notifications.fields import PathId
from stockbuddy.notifications.inapp import queries
from stockbuddy.notifications.inapp.commands import announce, put_back, read_notifications
from stockbuddy.notifications.inapp.queries import Notification, Reader
from stockbuddy.notifications.inapp.schemas import MakeNotification, NotificationPage, NotificationView, ReadAll
from stockbuddy.notifications.kinds import Kind
from stockbuddy.notifications.listing import window_of
from stockbuddy.notifications.preferences.queries import muted_kinds

router = APIRouter(prefix="/api/v1/notifications", tags=["notifications"], route_class=ConditionalRoute)


@router.get("")
async def list_notifications(
    caller: Caller,
    session: ReadSession,
    paging: PageParameters,
    unread: Annotated[bool | None, Query(description="true: only unread ones; false: only read ones.")] = None,
    kind: Kind | None = None,
) -> NotificationPage:
    reader = await _reader(session, caller)
    window = window_of(paging)
    found = await queries.list_notifications(session, reader, window, unread=unread, kind=kind)
    return NotificationPage(
        items=[_view(notification) for notification in window.shown(found)],
        page=paging.page,
        page_size=paging.page_size,
        total=await queries.count_notifications(session, reader, unread=unread, kind=kind),
        next_cursor=window.next_cursor(found),
        unread_count=await queries.count_notifications(session, reader, unread=True),
    )


@router.post("", status_code=201)
async def make_notification(body: MakeNotification, _: Admin, session: Session) -> NotificationView:
    return _view(await announce(session, body.audience, body.kind, body.title, body.body))


@router.post("/read-all")
async def read_all_notifications(caller: Caller, session: Session) -> ReadAll:
    return ReadAll(read=await read_notifications(session, await _reader(session, caller)))


@router.get("/{notification_id}")
async def get_notification(notification_id: PathId, caller: Caller, session: ReadSession) -> NotificationView:
    return await _found(session, await _reader(session, caller), notification_id)


@router.post("/{notification_id}/read")
async def read_notification(notification_id: PathId, caller: Caller, session: Session) -> NotificationView:
    reader = await _reader(session, caller)
    await read_notifications(session, reader, notification_id)
    return await _found(session, reader, notification_id)


@router.post("/{notification_id}/unread")
async def put_notification_back(notification_id: PathId, caller: Caller, session: Session) -> NotificationView:
    reader = await _reader(session, caller)
    await put_back(session, reader, notification_id)
    return await _found(session, reader, notification_id)


async def _reader(session: AsyncSession, caller: Principal) -> Reader:
    return Reader(caller.user_id, heard_by(caller), await muted_kinds(session, caller.user_id))


async def _found(session: AsyncSession, reader: Reader, notification_id: int) -> NotificationView:
    notification = await queries.find_notification(session, reader, notification_id)
    if notification is None:
        raise UnknownNotification()
    return _view(notification)


def _view(notification: Notification) -> NotificationView:
    role = role_of(notification.audience)
    return NotificationView(
        id=notification.id,
        kind=notification.kind,
        title=notification.title,
        body=notification.body,
        subject=notification.about_subject,
        user_id=user_of(notification.audience),
        role=Role(role) if role else None,
        is_read=notification.read_at is not None,
        read_at=notification.read_at,
        created_at=notification.created_at,
    )
