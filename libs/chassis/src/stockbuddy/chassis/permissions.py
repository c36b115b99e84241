"""Who may call what, read off the routes' dependencies and published in the OpenAPI document as `x-permission`.

A route that declares nothing is an error when the service starts, not a hole that somebody finds.
"""

from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIWebSocketRoute

from stockbuddy.chassis.identity import anyone, authenticate, require_admin, require_manager

_PERMISSIONS = {require_admin: "admin", require_manager: "manager", authenticate: "user", anyone: "public"}
"""From the narrowest: a route that needs an admin also authenticates."""


def permission_of(route: APIRoute | APIWebSocketRoute) -> str | None:
    calls = set(_calls(route.dependant))
    return next((permission for call, permission in _PERMISSIONS.items() if call in calls), None)


def _calls(dependant: Dependant) -> list[object]:
    return [dependant.call, *(call for inner in dependant.dependencies for call in _calls(inner))]


def declare_permissions(router: APIRouter) -> None:
    """Before the router is included anywhere. Raises TypeError for a route without a declared permission."""
    for route in router.routes:
        if not isinstance(route, (APIRoute, APIWebSocketRoute)):
            raise TypeError(f"{route!r} is included twice; give the service its routers flat")
        permission = permission_of(route)
        if permission is None:
            raise TypeError(f"{route.path} says neither who may call it nor that anyone may (identity.PUBLIC)")
        if isinstance(route, APIRoute):
            route.openapi_extra = {**(route.openapi_extra or {}), "x-permission": permission}
