"""HTTP of saved views."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from stockbuddy.auth.errors import UnknownCaller
from stockbuddy.auth.fields import PathId
from stockbuddy.auth.views import commands, queries
from stockbuddy.auth.views.errors import ForeignView, TooManyViews, ViewExists, ViewNotFound
from stockbuddy.auth.views.model import SavedView
from stockbuddy.auth.views.schemas import ViewCreate, ViewFilter, ViewResponse, ViewUpdate
from stockbuddy.chassis.http.authentication import UserSession
from stockbuddy.chassis.http.errors import Forbidden, raises
from stockbuddy.chassis.http.etags import ConditionalRoute, IfMatch, require_match, version_etag
from stockbuddy.chassis.http.pagination import Page, SortOrder, fetch_row_page
from stockbuddy.chassis.http.sessions import ReadSession, Session

router = APIRouter(prefix="/api/v1/views", tags=["views"], route_class=ConditionalRoute)

BY_NAME = SortOrder("name_asc", [SavedView.name, SavedView.id])


@router.get("")
async def list_views(
    caller: UserSession, session: ReadSession, filters: Annotated[ViewFilter, Query()]
) -> Page[ViewResponse]:
    """List saved views.

    One's own and those that others share, by name.
    """
    views = await fetch_row_page(session, queries.select_views(caller.user_id, filters), BY_NAME, filters)
    return views.to_page(filters, lambda row: _to_response(row[0], row[1]))


@router.post("", status_code=201)
@raises(Forbidden, ViewExists, TooManyViews, UnknownCaller)
async def create_view(body: ViewCreate, caller: UserSession, session: Session, response: Response) -> ViewResponse:
    """Save a view.

    Of a list's filters, sorting and columns. Sharing it requires the permission `view.share`.
    """
    view = await commands.create_view(session, caller, body)
    response.headers["Location"] = f"/api/v1/views/{view.id}"
    return _with_etag(view, caller.username, response)


@router.get("/{view_id}")
@raises(ViewNotFound)
async def get_view(view_id: PathId, caller: UserSession, session: ReadSession, response: Response) -> ViewResponse:
    """Read a saved view.

    One's own, or one that is shared.
    """
    view = commands.require_visible(await queries.find_view(session, view_id), caller)
    return _with_etag(view, await queries.get_username(session, view.owner_id), response)


@router.patch("/{view_id}")
@raises(ViewNotFound, ForeignView, Forbidden, ViewExists)
async def update_view(
    view_id: PathId,
    body: ViewUpdate,
    caller: UserSession,
    session: Session,
    response: Response,
    if_match: IfMatch = None,
) -> ViewResponse:
    """Change a saved view.

    One's own only; absent fields keep their values. Sharing it requires the permission `view.share`.
    """
    view = await commands.load_for_update(session, caller, view_id)
    require_match(if_match, version_etag(view.version))
    await commands.update_view(session, caller, view, body.sent_fields())
    return _with_etag(view, caller.username, response)


@router.delete("/{view_id}", status_code=204)
@raises(ViewNotFound, ForeignView)
async def delete_view(view_id: PathId, caller: UserSession, session: Session, if_match: IfMatch = None) -> None:
    """Delete a saved view.

    One's own; with the permission `view.share` also those that others share.
    """
    view = await commands.load_for_update(session, caller, view_id)
    require_match(if_match, version_etag(view.version))
    await commands.delete_view(session, caller, view)


def _with_etag(view: SavedView, owner: str, response: Response) -> ViewResponse:
    response.headers["ETag"] = version_etag(view.version)
    return _to_response(view, owner)


def _to_response(view: SavedView, owner: str) -> ViewResponse:
    return ViewResponse(
        id=view.id,
        path=view.path,
        name=view.name,
        query=view.query,
        is_shared=view.is_shared,
        owner_id=view.owner_id,
        owner=owner,
        version=view.version,
        created_at=view.created_at,
        updated_at=view.updated_at,
    )
