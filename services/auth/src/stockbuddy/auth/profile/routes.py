"""HTTP of one's own profile, and the confirmation of e-mail addresses."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from stockbuddy.auth.dependencies import Services
from stockbuddy.auth.errors import (
    EmailTaken,
    HashingOverloaded,
    InvalidConfirmationToken,
    StepUpRequired,
    TooManyAttempts,
    TooManyPasswords,
    UnknownCaller,
    UsernameTaken,
    WrongPassword,
)
from stockbuddy.auth.logins.authenticator import Authenticator
from stockbuddy.auth.profile import commands
from stockbuddy.auth.profile.schemas import ConfirmEmail, ProfileUpdate
from stockbuddy.auth.roles.queries import load_rights
from stockbuddy.auth.roles.rights import Rights
from stockbuddy.auth.step_up import require_recent_verification
from stockbuddy.auth.users import queries
from stockbuddy.auth.users.model import User
from stockbuddy.auth.users.schemas import ProfileResponse, UserResponse
from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.access.roles import PERMISSIONS_BY_ROLE
from stockbuddy.chassis.http.authentication import PUBLIC, UserSession
from stockbuddy.chassis.http.errors import Unprocessable, raises
from stockbuddy.chassis.http.etags import ConditionalRoute, IfMatch, require_match, version_etag
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.http.strict_query import StrictQueryRoute

router = APIRouter(prefix="/api/v1/auth", tags=["auth"], route_class=ConditionalRoute)
public_router = APIRouter(prefix="/api/v1/auth", tags=["auth"], route_class=StrictQueryRoute)


async def verify_profile_password(
    body: ProfileUpdate, caller: UserSession, authenticator: Authenticator, services: Services
) -> ProfileUpdate:
    """The body. If it changes the address, its password is verified, or that the caller has used their second factor a
    short while ago. A dependency, so that hashing, which takes long, precedes the transaction."""
    fields = body.sent_fields()
    if (email := fields.get("email")) is None:
        return body
    async with services.database.reading() as session:
        user = await queries.find_user(session, caller.user_id)
        if user is None or not commands.starts_confirmation(user, email):
            return body
        await require_recent_verification(session, caller, services.settings)
    if not user.has_second_factor:
        if fields.get("password") is None:
            raise Unprocessable.field("password", "is required to change the e-mail address", "missing")
        await authenticator.verify_password(user, fields["password"])
    return body


@router.get("/profile")
@raises(UnknownCaller)
async def get_profile(caller: UserSession, session: ReadSession, response: Response) -> ProfileResponse:
    """Read one's own user.

    With role, permissions, warehouses and, while it is unconfirmed, a new e-mail address.
    """
    user = await queries.find_user(session, caller.user_id)
    if user is None:
        raise UnknownCaller()
    rights = await load_rights(session, user.role, user.warehouse_ids)
    response.headers["ETag"] = _etag(user, rights)
    return _to_response(user, rights)


def _etag(user: User, rights: Rights) -> str:
    """The permissions of an admin's role change without the user."""
    return version_etag(user.version) if rights.role in PERMISSIONS_BY_ROLE else f'"{user.version}.{rights.digest}"'


def _to_response(user: User, rights: Rights) -> ProfileResponse:
    return ProfileResponse(
        **dict(UserResponse.model_validate(user)),
        permissions=[permission for permission in Permission if permission in rights.permissions],
        max_discount_percent=rights.max_discount_percent,
    )


@router.patch("/profile")
@raises(
    UnknownCaller,
    StepUpRequired,
    UsernameTaken,
    EmailTaken,
    WrongPassword,
    TooManyAttempts,
    HashingOverloaded,
    TooManyPasswords,
)
async def update_profile(
    body: Annotated[ProfileUpdate, Depends(verify_profile_password)],
    caller: UserSession,
    session: Session,
    response: Response,
    if_match: IfMatch = None,
) -> ProfileResponse:
    """Change one's own user.

    Absent fields keep their values. Another e-mail address requires the `password`, or of a user with a second factor
    a step-up, and replaces the old one when it is confirmed with the token sent to it (`POST /auth/email/confirm`);
    the old address is notified.
    """
    user = await queries.lock_user(session, caller.user_id)
    if user is None:
        raise UnknownCaller()
    require_match(if_match, _etag(user, await load_rights(session, user.role, user.warehouse_ids)))
    fields = {name: value for name, value in body.sent_fields().items() if name != "password"}
    await commands.update_profile(session, user, fields)
    rights = await load_rights(session, user.role, user.warehouse_ids)
    response.headers["ETag"] = _etag(user, rights)
    return _to_response(user, rights)


@public_router.post("/email/confirm", status_code=204, dependencies=[PUBLIC])
@raises(InvalidConfirmationToken, UsernameTaken, EmailTaken)
async def confirm_email(body: ConfirmEmail, services: Services) -> None:
    """Confirm an e-mail address.

    With the token that was sent to it; the token works once.
    """
    async with services.database.transaction() as session:
        await commands.confirm_email(session, body.token)
