"""HTTP of users, for admins."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from stockbuddy.auth.user_management import commands
from stockbuddy.auth.user_management.queries import users_matching
from stockbuddy.auth.user_management.schemas import ChangeUser
from stockbuddy.auth.fields import LARGEST_ID, NO_CONTROL_CHARACTERS
from stockbuddy.auth.listing import Order, read_page
from stockbuddy.auth.settings import Settings
from stockbuddy.auth.users.model import User
from stockbuddy.auth.users.queries import user_by_id
from stockbuddy.auth.users.schemas import UserView
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.etags import ConditionalRoute, require_match, version_etag
from stockbuddy.chassis.http.authentication import Admin
from stockbuddy.chassis.http.tokens import Role
from stockbuddy.chassis.http.pagination import Page, PageParameters

router = APIRouter(prefix="/api/v1/users", tags=["users"], route_class=ConditionalRoute)

OLDEST_FIRST = Order("id_asc", [User.id], newest_first=False)

UserId = Annotated[int, Path(ge=1, le=LARGEST_ID)]


@router.get("")
async def list_users(
    _: Admin,
    session: ReadSession,
    paging: PageParameters,
    search: Annotated[str | None, Query(max_length=200, pattern=NO_CONTROL_CHARACTERS)] = None,
    role: Role | None = None,
    is_active: bool | None = None,
) -> Page[UserView]:
    """All users, the oldest first; `search` looks for words in usernames, addresses and full names."""
    found = await read_page(session, users_matching(search, role, is_active), paging, OLDEST_FIRST)
    return found.page(UserView.model_validate)


@router.get("/{user_id}")
async def get_user(user_id: UserId, _: Admin, session: ReadSession, response: Response) -> UserView:
    user = await user_by_id(session, user_id)
    if user is None:
        raise NotFound("There is no such user.")
    response.headers["ETag"] = version_etag(user.version)
    return UserView.model_validate(user)


@router.patch("/{user_id}")
async def patch_user(
    user_id: UserId,
    body: ChangeUser,
    _: Admin,
    session: Session,
    request: Request,
    response: Response,
    settings: Settings,
) -> UserView:
    """Change a user's role, warehouses, activation or full name. It takes effect on their next call: access tokens that
    say something else are refused; a deactivated user's sessions and API keys end."""
    user, admins = await commands.lock_for_change(session, user_id)
    require_match(request, version_etag(user.version))
    await commands.change_user(session, user, admins, body.model_dump(exclude_unset=True), settings)
    response.headers["ETag"] = version_etag(user.version)
    return UserView.model_validate(user)
