"""Saves, changes and deletes views of lists."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.changes import set_fields
from stockbuddy.auth.errors import UnknownCaller
from stockbuddy.auth.users.queries import lock_user
from stockbuddy.auth.views import queries
from stockbuddy.auth.views.errors import ForeignView, TooManyViews, ViewExists, ViewNotFound
from stockbuddy.auth.views.model import SavedView
from stockbuddy.auth.views.schemas import ViewCreate
from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.authentication import require
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.auth import ViewCreated, ViewDeleted, ViewUpdated

MAX_VIEWS_PER_USER = 200


async def create_view(session: AsyncSession, caller: Principal, body: ViewCreate) -> SavedView:
    """Raises Forbidden, TooManyViews or ViewExists. The lock of the user serialises those who count the views, and an
    erasure, which deletes them."""
    if body.is_shared:
        require(caller, Permission.VIEW_SHARE)
    user = await lock_user(session, caller.user_id)
    if user is None or user.erased_at is not None:
        raise UnknownCaller()
    if await queries.count_views(session, caller.user_id) >= MAX_VIEWS_PER_USER:
        raise TooManyViews()
    now = clock.now()
    view = SavedView(**dict(body), owner_id=caller.user_id, version=1, created_at=now, updated_at=now)
    session.add(view)
    await _flush(session)
    outbox.add(session, view.to_event(ViewCreated))
    return view


async def load_for_update(session: AsyncSession, caller: Principal, view_id: int) -> SavedView:
    """The view, locked. Raises ViewNotFound."""
    return require_visible(await queries.lock_view(session, view_id), caller)


def require_visible(view: SavedView | None, caller: Principal) -> SavedView:
    """One's own view, or a shared one. Raises ViewNotFound."""
    if view is None or not (view.is_shared or view.owner_id == caller.user_id):
        raise ViewNotFound()
    return view


async def update_view(session: AsyncSession, caller: Principal, view: SavedView, fields: Mapping[str, Any]) -> None:
    """`view` is locked. Raises ForeignView, Forbidden or ViewExists."""
    if view.owner_id != caller.user_id:
        raise ForeignView()
    changes = set_fields(view, fields)
    if not changes:
        return
    if view.is_shared and "is_shared" in changes:
        require(caller, Permission.VIEW_SHARE)
    view.touch()
    await _flush(session)
    outbox.add(session, view.to_event(ViewUpdated, changes=changes))


async def delete_view(session: AsyncSession, caller: Principal, view: SavedView) -> None:
    """`view` is locked. Raises ForeignView; who may share views also deletes those that others share."""
    if view.owner_id != caller.user_id and not caller.may(Permission.VIEW_SHARE):
        raise ForeignView()
    await session.delete(view)
    outbox.add(session, view.to_event(ViewDeleted))


async def _flush(session: AsyncSession) -> None:
    try:
        await session.flush()
    except IntegrityError as error:
        raise ViewExists() from error
