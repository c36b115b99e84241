"""HTTP of the settings, for admins, and of those that every user needs."""

from fastapi import APIRouter, Response

from stockbuddy.auth.roles.errors import RightsExceeded, UnknownRole
from stockbuddy.auth.roles.grants import load_assignable, require_role
from stockbuddy.auth.system_settings import commands, queries
from stockbuddy.auth.system_settings.schemas import CompanyResponse, SettingsResponse, SettingsUpdate
from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.authentication import Caller, requires
from stockbuddy.chassis.http.errors import PreconditionFailed, raises
from stockbuddy.chassis.http.etags import ConditionalRoute, IfMatch, require_match, version_etag
from stockbuddy.chassis.http.sessions import ReadSession, Session

router = APIRouter(prefix="/api/v1/system-settings", tags=["settings"], route_class=ConditionalRoute)


@router.get("", dependencies=[requires(Permission.SETTING_READ)])
async def get_settings(session: ReadSession, response: Response) -> SettingsResponse:
    """Read the settings of the company.

    Currency, time zone and defaults apply to all services.
    """
    settings = await queries.get_settings(session)
    response.headers["ETag"] = version_etag(settings.version)
    return SettingsResponse.model_validate(settings)


@router.get("/company")
async def get_company(_: Caller, session: ReadSession) -> CompanyResponse:
    """Read the name, currency and time zone of the company.

    The settings that every client needs to show money and days; every user may read them.
    """
    return CompanyResponse.model_validate(await queries.get_settings(session))


@router.put("", name="update_settings_put", dependencies=[requires(Permission.SETTING_WRITE)])
@router.patch("", dependencies=[requires(Permission.SETTING_WRITE)])
@raises(UnknownRole, RightsExceeded)
async def update_settings(
    body: SettingsUpdate, caller: Caller, session: Session, response: Response, if_match: IfMatch = None
) -> SettingsResponse:
    """Change the settings of the company.

    PUT and PATCH do the same: absent fields keep their values. All services use the new values within moments.
    """
    settings = await queries.lock_settings(session)
    require_match(if_match, version_etag(settings.version))
    if body.version not in (None, settings.version):
        raise PreconditionFailed()
    changes = body.changes()
    if (registration_role := changes.get("registration_role")) is not None:
        await load_assignable(session, caller, registration_role)
    for role in changes.get("second_factor_roles", ()):
        await require_role(session, role)
    await commands.update_settings(session, settings, changes)
    response.headers["ETag"] = version_etag(settings.version)
    return SettingsResponse.model_validate(settings)
