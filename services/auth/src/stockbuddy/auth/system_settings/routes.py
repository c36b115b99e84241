"""HTTP of the system's settings, for admins."""

from fastapi import APIRouter, Request, Response

from stockbuddy.auth.system_settings import queries
from stockbuddy.auth.system_settings.commands import change_settings
from stockbuddy.auth.system_settings.schemas import ChangeSettings, SettingsView
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.http.errors import PreconditionFailed
from stockbuddy.chassis.http.etags import ConditionalRoute, require_match, version_etag
from stockbuddy.chassis.http.authentication import Admin

router = APIRouter(prefix="/api/v1/system-settings", tags=["settings"], route_class=ConditionalRoute)


@router.get("")
async def get_settings(_: Admin, session: ReadSession, response: Response) -> SettingsView:
    settings = await queries.system_settings(session)
    response.headers["ETag"] = version_etag(settings.version)
    return SettingsView.model_validate(settings)


@router.put("", name="put_settings")
@router.patch("")
async def patch_settings(
    body: ChangeSettings, _: Admin, session: Session, request: Request, response: Response
) -> SettingsView:
    """Change some settings; every service hears of it."""
    settings = await queries.lock_system_settings(session)
    require_match(request, version_etag(settings.version))
    if body.version not in (None, settings.version):
        raise PreconditionFailed()
    await change_settings(session, settings, body.changes())
    response.headers["ETag"] = version_etag(settings.version)
    return SettingsView.model_validate(settings)
