"""HTTP of one's own profile."""

from fastapi import APIRouter, Request, Response

from stockbuddy.auth.interactive_users import Person
from stockbuddy.auth.users import queries
from stockbuddy.auth.users.commands import change_profile
from stockbuddy.auth.users.model import User
from stockbuddy.auth.users.schemas import ChangeProfile, UserView
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.http.errors import Unauthenticated
from stockbuddy.chassis.http.etags import ConditionalRoute, require_match, version_etag
from stockbuddy.chassis.http.authentication import Caller

router = APIRouter(prefix="/api/v1/auth", tags=["auth"], route_class=ConditionalRoute)


@router.get("/profile")
async def get_profile(caller: Caller, session: ReadSession, response: Response) -> UserView:
    user = _existing(await queries.user_by_id(session, caller.user_id))
    response.headers["ETag"] = version_etag(user.version)
    return UserView.model_validate(user)


@router.patch("/profile")
async def patch_profile(
    body: ChangeProfile, caller: Person, session: Session, request: Request, response: Response
) -> UserView:
    user = _existing(await queries.lock_user(session, caller.user_id))
    require_match(request, version_etag(user.version))
    await change_profile(session, user, body.model_dump(exclude_unset=True))
    response.headers["ETag"] = version_etag(user.version)
    return UserView.model_validate(user)


def _existing(user: User | None) -> User:
    if user is None:
        raise Unauthenticated("This user does not exist.")
    return user
