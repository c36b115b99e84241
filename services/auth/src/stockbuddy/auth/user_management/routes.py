"""HTTP of user management, for admins."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from stockbuddy.auth.dependencies import Services
from stockbuddy.auth.errors import ErasedUser, LastAdmin, StepUpRequired, UnknownCaller, UserNotFound
from stockbuddy.auth.fields import PathId
from stockbuddy.auth.roles.errors import RightsExceeded, UnknownRole
from stockbuddy.auth.roles.grants import load_assignable, require_within
from stockbuddy.auth.roles.queries import load_rights
from stockbuddy.auth.step_up import STEP_UP, require_recent_verification
from stockbuddy.auth.user_management import commands
from stockbuddy.auth.user_management.erasure import erase_user as erase_personal_data
from stockbuddy.auth.user_management.personal_data_queries import OF_USER
from stockbuddy.auth.user_management.queries import select_users
from stockbuddy.auth.user_management.schemas import UserFilter, UserUpdate
from stockbuddy.auth.users.model import User
from stockbuddy.auth.users.queries import find_user
from stockbuddy.auth.users.schemas import UserResponse
from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.authentication import Caller, requires
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.etags import ConditionalRoute, IfMatch, require_match, version_etag
from stockbuddy.chassis.http.pagination import Page, SortOrder, fetch_page
from stockbuddy.chassis.http.personal_data import PersonalDataResponse, export_sections
from stockbuddy.chassis.http.sessions import ReadSession, Session

router = APIRouter(prefix="/api/v1/users", tags=["users"], route_class=ConditionalRoute)

OLDEST_FIRST = SortOrder("id_asc", [User.id])


@router.get("", dependencies=[requires(Permission.USER_READ)])
async def list_users(session: ReadSession, filters: Annotated[UserFilter, Query()]) -> Page[UserResponse]:
    """List users.

    Oldest first.
    """
    users = await fetch_page(session, select_users(filters), OLDEST_FIRST, filters)
    return users.to_page(filters, UserResponse.model_validate)


@router.get("/{user_id}", dependencies=[requires(Permission.USER_READ)])
@raises(UserNotFound)
async def get_user(user_id: PathId, session: ReadSession, response: Response) -> UserResponse:
    """Read a user.

    `ETag` is the version, for a later change.
    """
    user = await find_user(session, user_id)
    if user is None:
        raise UserNotFound()
    response.headers["ETag"] = version_etag(user.version)
    return UserResponse.model_validate(user)


@router.patch("/{user_id}", dependencies=[requires(Permission.USER_MANAGE)])
@raises(UserNotFound, LastAdmin, ErasedUser, StepUpRequired, UnknownCaller, UnknownRole, RightsExceeded)
async def update_user(
    user_id: PathId,
    body: UserUpdate,
    caller: Caller,
    session: Session,
    response: Response,
    services: Services,
    if_match: IfMatch = None,
) -> UserResponse:
    """Change a user's role, warehouses, activation or full name.

    Takes effect at once: access tokens with the old rights are rejected, and the sessions and API keys of a
    deactivated user are revoked. The last active admin can be neither demoted nor deactivated. A caller cannot give or
    take away rights that they do not have themselves (403 `rights_exceeded`). A caller with a second factor must have
    used it a short while ago, unless only `full_name` changes (403 `step_up_required`).
    """
    if body.changes_rights():
        await require_recent_verification(session, caller, services.settings)
    user, admins = await commands.lock_for_update(session, user_id)
    require_match(if_match, version_etag(user.version))
    fields = body.sent_fields()
    if body.changes_rights():
        require_within(await load_rights(session, user.role, user.warehouse_ids), caller)
        await load_assignable(
            session, caller, fields.get("role", user.role), fields.get("warehouse_ids", user.warehouse_ids)
        )
    await commands.update_user(session, user, admins, fields, services.settings)
    response.headers["ETag"] = version_etag(user.version)
    return UserResponse.model_validate(user)


@router.delete("/{user_id}/factors", status_code=204, dependencies=[requires(Permission.USER_MANAGE), STEP_UP])
@raises(UserNotFound, RightsExceeded)
async def reset_user_factors(user_id: PathId, caller: Caller, session: Session, services: Services) -> None:
    """Remove all second factors of a user.

    For a user who has lost them. Authenticator apps, passkeys and recovery codes are removed, the user's sessions end,
    and the user is notified by e-mail. The password stays; if the role requires a second factor, the next login sets
    one up. An admin with a second factor must have used it a short while ago (403 `step_up_required`).
    """
    user, _admins = await commands.lock_for_update(session, user_id)
    require_within(await load_rights(session, user.role, user.warehouse_ids), caller)
    await commands.reset_user_factors(session, user, services.settings)


@router.get("/{user_id}/personal-data", dependencies=[requires(Permission.USER_MANAGE)])
@raises(UserNotFound)
async def export_user_personal_data(user_id: PathId, session: ReadSession) -> PersonalDataResponse:
    """Export the personal data of a user.

    Everything that is stored about the user, by section: the account, sessions and devices, API keys, sales and
    imports, notifications, e-mails, the values in the event log and audit entries. Secrets are left out. A section
    with more than 10,000 rows has the newest, and is named in `truncated`.
    """
    if await find_user(session, user_id) is None:
        raise UserNotFound()
    return await export_sections(session, f"user/{user_id}", OF_USER)


@router.post("/{user_id}/erase", dependencies=[requires(Permission.USER_MANAGE), STEP_UP])
@raises(UserNotFound, LastAdmin, RightsExceeded)
async def erase_user(
    user_id: PathId,
    caller: Caller,
    session: Session,
    response: Response,
    services: Services,
    if_match: IfMatch = None,
) -> UserResponse:
    """Erase the personal data of a user.

    Cannot be undone. The account is deactivated and gets a neutral name such as `erased-17`; sessions, API keys and
    second factors are revoked; name, addresses and devices are deleted here, in the event log and in every other copy.
    Documents and the audit trail keep the id. The copies of other services follow within seconds. The last active
    admin cannot be erased. Repeating it changes nothing.
    """
    user, admins = await commands.lock_for_update(session, user_id)
    require_match(if_match, version_etag(user.version))
    require_within(await load_rights(session, user.role, user.warehouse_ids), caller)
    await erase_personal_data(session, user, admins, services)
    response.headers["ETag"] = version_etag(user.version)
    return UserResponse.model_validate(user)
