"""HTTP of one's own profile."""

from fastapi import APIRouter, Response

from stockbuddy.auth.errors import UnknownCaller
from stockbuddy.auth.users import commands, queries
from stockbuddy.auth.users.schemas import ProfileUpdate, UserResponse
from stockbuddy.chassis.http.authentication import Caller, UserSession
from stockbuddy.chassis.http.etags import ConditionalRoute, IfMatch, require_match, version_etag
from stockbuddy.chassis.http.sessions import ReadSession, Session

router = APIRouter(prefix="/api/v1/auth", tags=["auth"], route_class=ConditionalRoute)


@router.get("/profile")
async def get_profile(caller: Caller, session: ReadSession, response: Response) -> UserResponse:
    user = await queries.find_user(session, caller.user_id)
    if user is None:
        raise UnknownCaller()
    response.headers["ETag"] = version_etag(user.version)
    return UserResponse.model_validate(user)


@router.patch("/profile")
async def update_profile(
    body: ProfileUpdate, caller: UserSession, session: Session, response: Response, if_match: IfMatch = None
) -> UserResponse:
    user = await queries.lock_user(session, caller.user_id)
    if user is None:
        raise UnknownCaller()
    require_match(if_match, version_etag(user.version))
    await commands.update_profile(session, user, body.sent_fields())
    response.headers["ETag"] = version_etag(user.version)
    return UserResponse.model_validate(user)
