"""HTTP of roles and permissions."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from stockbuddy.auth.dependencies import Services
from stockbuddy.auth.fields import RoleName
from stockbuddy.auth.role_management import commands
from stockbuddy.auth.role_management.schemas import (
    PermissionResponse,
    PermissionsResponse,
    RoleCreate,
    RoleResponse,
    RolesResponse,
    RoleUpdate,
    built_in_role,
)
from stockbuddy.auth.roles import queries
from stockbuddy.auth.roles.errors import BuiltInRole, RightsExceeded, RoleExists, RoleInUse, RoleNotFound
from stockbuddy.auth.step_up import STEP_UP
from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.access.roles import PERMISSIONS_BY_ROLE
from stockbuddy.chassis.http.authentication import Caller, requires
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.etags import ConditionalRoute, IfMatch, require_match, version_etag
from stockbuddy.chassis.http.sessions import ReadSession, Session

router = APIRouter(prefix="/api/v1", tags=["roles"], route_class=ConditionalRoute)

MANAGED = [requires(Permission.ROLE_MANAGE), STEP_UP]
PathName = Annotated[RoleName, Path()]


@router.get("/permissions")
async def list_permissions(_: Caller) -> PermissionsResponse:
    """List all permissions.

    With what each allows, and the built-in roles that have it. `x-permission` of an operation in this document names
    those that the operation requires.
    """
    return PermissionsResponse(
        items=[
            PermissionResponse(
                name=permission,
                description=permission.description,
                roles=[role for role, permissions in PERMISSIONS_BY_ROLE.items() if permission in permissions],
            )
            for permission in Permission
        ]
    )


@router.get("/roles", dependencies=[requires(Permission.USER_READ)])
async def list_roles(session: ReadSession) -> RolesResponse:
    """List all roles.

    The built-in ones first.
    """
    built_in = [built_in_role(name, permissions) for name, permissions in PERMISSIONS_BY_ROLE.items()]
    custom = [RoleResponse.model_validate(role) for role in await queries.list_custom_roles(session)]
    return RolesResponse(items=built_in + custom)


@router.post("/roles", status_code=201, dependencies=MANAGED)
@raises(RoleExists, RightsExceeded)
async def create_role(body: RoleCreate, caller: Caller, session: Session, response: Response) -> RoleResponse:
    """Create a role.

    Only with rights that one has oneself (403 `rights_exceeded`). A caller with a second factor must have used it a
    short while ago (403 `step_up_required`).
    """
    role = await commands.create_role(session, caller, body)
    response.headers["Location"] = f"/api/v1/roles/{role.name}"
    response.headers["ETag"] = version_etag(role.version)
    return RoleResponse.model_validate(role)


@router.get("/roles/{name}", dependencies=[requires(Permission.USER_READ)])
@raises(RoleNotFound)
async def get_role(name: PathName, session: ReadSession, response: Response) -> RoleResponse:
    """Read a role."""
    if (permissions := PERMISSIONS_BY_ROLE.get(name)) is not None:
        return built_in_role(name, permissions)
    role = await queries.find_custom_role(session, name)
    if role is None:
        raise RoleNotFound()
    response.headers["ETag"] = version_etag(role.version)
    return RoleResponse.model_validate(role)


@router.put("/roles/{name}", name="update_role_put", dependencies=MANAGED)
@router.patch("/roles/{name}", dependencies=MANAGED)
@raises(RoleNotFound, BuiltInRole, RightsExceeded)
async def update_role(
    name: PathName,
    body: RoleUpdate,
    caller: Caller,
    session: Session,
    response: Response,
    services: Services,
    if_match: IfMatch = None,
) -> RoleResponse:
    """Change a role.

    PUT and PATCH do the same: absent fields keep their values. Takes effect at once: access tokens with the former
    rights are rejected within a second, and streams and webhooks show what the new rights allow. Built-in roles do
    not change (409 `built_in_role`).
    """
    role = await commands.load_for_update(session, name)
    require_match(if_match, version_etag(role.version))
    await commands.update_role(session, caller, role, body.sent_fields(), services.settings)
    response.headers["ETag"] = version_etag(role.version)
    return RoleResponse.model_validate(role)


@router.delete("/roles/{name}", status_code=204, dependencies=MANAGED)
@raises(RoleNotFound, BuiltInRole, RoleInUse, RightsExceeded)
async def delete_role(name: PathName, caller: Caller, session: Session) -> None:
    """Delete a role.

    Not while users, API keys, invitations or the settings refer to it (409 `role_in_use`).
    """
    await commands.delete_role(session, caller, await commands.load_for_update(session, name))
