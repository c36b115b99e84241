"""What each route requires, derived from its dependencies and published in the OpenAPI document as `x-permission`.

A route that declares nothing prevents the service from starting.
"""

from collections.abc import Iterator

from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIWebSocketRoute

from stockbuddy.chassis.http.authentication import (
    PermissionCheck,
    allow_anonymous,
    authenticate,
    require_user_session,
)
from stockbuddy.chassis.http.internal_calls import require_internal_call
from stockbuddy.chassis.http.tokens import Principal

_WITHOUT_PERMISSION = {authenticate: "user", require_internal_call: "internal", allow_anonymous: "public"}


def permission_of(route: APIRoute | APIWebSocketRoute) -> str | None:
    """The permissions that the route requires, separated by spaces; `user` for any caller, `internal` for
    other services, `public` for anyone. None if nothing is declared."""
    calls = list(_calls(route.dependant))
    checks = [call for call in calls if isinstance(call, PermissionCheck)]
    if permissions := [permission for check in checks for permission in check.permissions]:
        return " ".join(permissions)
    return next((permission for call, permission in _WITHOUT_PERMISSION.items() if call in calls), None)


async def require_permission(route: APIRoute, caller: Principal) -> None:
    """Check the route's declared permissions again. Raises Forbidden."""
    for call in _calls(route.dependant):
        if isinstance(call, PermissionCheck):
            call.check(caller)
        elif call is require_user_session:
            await require_user_session(caller)


def _calls(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for inner in dependant.dependencies:
        yield from _calls(inner)


def declare_permissions(router: APIRouter) -> None:
    """Call before the router is included. Raises TypeError for a route without a declared permission."""
    for route in router.routes:
        if not isinstance(route, (APIRoute, APIWebSocketRoute)):
            raise TypeError(f"{route!r} is a nested router; list every router in Service.routers")
        permission = permission_of(route)
        if permission is None:
            raise TypeError(f"{route.path} declares no permission; add requires(...), Caller or PUBLIC")
        if isinstance(route, APIRoute):
            route.openapi_extra = {**(route.openapi_extra or {}), "x-permission": permission}
