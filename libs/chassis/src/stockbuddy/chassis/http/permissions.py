"""The permission of each route, derived from its dependencies and published in the OpenAPI document as `x-permission`.

A route without a declared permission prevents the service from starting.
"""

from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIWebSocketRoute

from stockbuddy.chassis.http.authentication import (
    allow_anonymous,
    authenticate,
    require_admin,
    require_manager,
    require_user_session,
)
from stockbuddy.chassis.http.internal_calls import require_internal_call
from stockbuddy.chassis.http.tokens import Principal

_PERMISSIONS = {
    require_admin: "admin",
    require_manager: "manager",
    authenticate: "user",
    require_internal_call: "internal",
    allow_anonymous: "public",
}
"""In this order: a route that requires an admin also authenticates."""
_CHECKS: Mapping[object, Callable[[Principal], Awaitable[Principal]]] = {
    check: check for check in (require_admin, require_manager, require_user_session)
}


def permission_of(route: APIRoute | APIWebSocketRoute) -> str | None:
    calls = set(_calls(route.dependant))
    return next((permission for call, permission in _PERMISSIONS.items() if call in calls), None)


async def require_permission(route: APIRoute, caller: Principal) -> None:
    """Check the route's declared permissions again. Raises Forbidden."""
    for call in _calls(route.dependant):
        if call in _CHECKS:
            await _CHECKS[call](caller)


def _calls(dependant: Dependant) -> list[object]:
    return [dependant.call, *(call for inner in dependant.dependencies for call in _calls(inner))]


def declare_permissions(router: APIRouter) -> None:
    """Call before the router is included. Raises TypeError for a route without a declared permission."""
    for route in router.routes:
        if not isinstance(route, (APIRoute, APIWebSocketRoute)):
            raise TypeError(f"{route!r} is a nested router; list every router in Service.routers")
        permission = permission_of(route)
        if permission is None:
            raise TypeError(f"{route.path} declares no permission; add Caller, Manager, Admin or PUBLIC")
        if isinstance(route, APIRoute):
            route.openapi_extra = {**(route.openapi_extra or {}), "x-permission": permission}
