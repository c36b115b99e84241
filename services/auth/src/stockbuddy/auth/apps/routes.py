"""HTTP of apps: their registration as OAuth2 clients."""

from fastapi import APIRouter, Response

from stockbuddy.auth.apps import commands, queries
from stockbuddy.auth.apps.errors import AppNotFound, PublicApp
from stockbuddy.auth.apps.model import App
from stockbuddy.auth.apps.schemas import AppCreate, AppResponse, AppSecretResponse, AppUpdate
from stockbuddy.auth.dependencies import Services
from stockbuddy.auth.encrypted_responses import EncryptedIdempotentRoute
from stockbuddy.auth.fields import PathId
from stockbuddy.auth.roles.errors import RightsExceeded
from stockbuddy.auth.step_up import STEP_UP
from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.authentication import Caller, requires
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.etags import ConditionalRoute, IfMatch, require_match, version_etag
from stockbuddy.chassis.http.pagination import Page, PageParameters, SortOrder, fetch_page
from stockbuddy.chassis.http.sessions import ReadSession, Session

router = APIRouter(prefix="/api/v1/oauth/clients", tags=["apps"], route_class=ConditionalRoute)
secret_router = APIRouter(prefix="/api/v1/oauth/clients", tags=["apps"], route_class=EncryptedIdempotentRoute)

READ = [requires(Permission.APP_MANAGE)]
MANAGED = [requires(Permission.APP_MANAGE), STEP_UP]
NEWEST_FIRST = SortOrder("id_desc", [App.id], descending=True)


@secret_router.post("", status_code=201, dependencies=MANAGED)
@raises(RightsExceeded)
async def create_app(body: AppCreate, caller: Caller, session: Session, response: Response) -> AppSecretResponse:
    """Register an app.

    A program of a third party that users let act for them, within `scopes`: at most one's own permissions (403
    `rights_exceeded`). A confidential app gets a `client_secret`, which is returned only here. A caller with a second
    factor must have used it a short while ago (403 `step_up_required`).
    """
    app, secret = await commands.create_app(session, caller, body)
    response.headers["ETag"] = version_etag(app.version)
    return AppSecretResponse(**AppResponse.model_validate(app).model_dump(), client_secret=secret)


@router.get("", dependencies=READ)
async def list_apps(session: ReadSession, query: PageParameters) -> Page[AppResponse]:
    """List the apps.

    The newest first, without their secrets.
    """
    apps = await fetch_page(session, queries.select_apps(), NEWEST_FIRST, query)
    return apps.to_page(query, AppResponse.model_validate)


@router.get("/{app_id}", dependencies=READ)
@raises(AppNotFound)
async def get_app(app_id: PathId, session: ReadSession, response: Response) -> AppResponse:
    """Read an app.

    Without its secret.
    """
    app = await queries.find_app(session, app_id)
    if app is None:
        raise AppNotFound()
    response.headers["ETag"] = version_etag(app.version)
    return AppResponse.model_validate(app)


@router.put("/{app_id}", name="update_app_put", dependencies=MANAGED)
@router.patch("/{app_id}", dependencies=MANAGED)
@raises(AppNotFound, RightsExceeded)
async def update_app(
    app_id: PathId,
    body: AppUpdate,
    caller: Caller,
    session: Session,
    response: Response,
    services: Services,
    if_match: IfMatch = None,
) -> AppResponse:
    """Change an app.

    PUT and PATCH do the same: absent fields keep their values. If the scopes change, access tokens with the former ones
    are rejected within a second; the app gets the next one with its refresh token.
    """
    app = await commands.load_for_update(session, caller, app_id)
    require_match(if_match, version_etag(app.version))
    await commands.update_app(session, caller, app, body.sent_fields(), services.settings)
    response.headers["ETag"] = version_etag(app.version)
    return AppResponse.model_validate(app)


@secret_router.post("/{app_id}/rotate-secret", dependencies=MANAGED)
@raises(AppNotFound, RightsExceeded, PublicApp)
async def rotate_app_secret(app_id: PathId, caller: Caller, session: Session, response: Response) -> AppSecretResponse:
    """Replace the secret of an app.

    The response has the new `client_secret`, which is returned only here; the old one is rejected from now on. The
    consents and tokens of users stay valid.
    """
    app = await commands.load_for_update(session, caller, app_id)
    secret = commands.rotate_secret(session, app)
    response.headers["ETag"] = version_etag(app.version)
    return AppSecretResponse(**AppResponse.model_validate(app).model_dump(), client_secret=secret)


@router.delete("/{app_id}", status_code=204, dependencies=MANAGED)
@raises(AppNotFound, RightsExceeded)
async def delete_app(
    app_id: PathId, caller: Caller, session: Session, services: Services, if_match: IfMatch = None
) -> None:
    """Delete an app.

    With the consents of all users; its access tokens are rejected within a second.
    """
    app = await commands.load_for_update(session, caller, app_id)
    require_match(if_match, version_etag(app.version))
    await commands.delete_app(session, app, services.settings)
