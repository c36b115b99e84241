"""Authentication of requests as FastAPI dependencies. Every route declares one of them; `permissions` enforces that."""

from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import HTTPConnection

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.errors import Forbidden, Unauthenticated
from stockbuddy.chassis.http.resources import get_resources
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.runtime.event_context import set_actor


def bearer_token(authorization: str | None) -> str:
    """The token in the value of an `Authorization` header (RFC 6750). Raises Unauthenticated if there is none."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("An access token is required.")
    return token.strip()


async def authenticate(request: HTTPConnection) -> Principal:
    """Verify the caller of a request or WebSocket, and record it as the actor of the request's events."""
    principal: Principal | None = getattr(request.state, "principal", None)
    if principal is None:
        token = bearer_token(request.headers.get("authorization"))
        principal = await get_resources(request).verifier.verify(token)
        request.state.principal = principal
    set_actor(principal.user_id, principal.username)
    return principal


class PermissionCheck:
    """A dependency that requires all of `permissions`, which a route can be asked for."""

    def __init__(self, permissions: tuple[Permission, ...]) -> None:
        self.permissions = permissions

    async def __call__(self, caller: Annotated[Principal, Depends(authenticate)]) -> Principal:
        self.check(caller)
        return caller

    def check(self, caller: Principal) -> None:
        """Raises Forbidden."""
        for permission in self.permissions:
            require(caller, permission)


def require(caller: Principal, permission: Permission) -> None:
    """Raises Forbidden."""
    if permission not in caller.permissions:
        raise Forbidden(f"This requires the permission `{permission}`.")


def requires(*permissions: Permission) -> Any:
    """The marker of a route that requires these permissions, in `dependencies=[requires(...)]`."""
    return Depends(PermissionCheck(permissions))


class UserSessionRequired(Forbidden):
    """API keys and apps cannot do this; log in with a password."""

    code = "interactive_only"


async def require_user_session(caller: Annotated[Principal, Depends(authenticate)]) -> Principal:
    """For personal resources: API keys and apps have permissions, but no access to the account of their user."""
    if not caller.is_user_session:
        raise UserSessionRequired()
    return caller


async def allow_anonymous() -> None:
    """Dependency that marks a route as public."""


PUBLIC = Depends(allow_anonymous)
Caller = Annotated[Principal, Depends(authenticate)]


async def get_permissions(caller: Caller) -> frozenset[Permission]:
    return caller.permissions


CallerPermissions = Annotated[frozenset[Permission], Depends(get_permissions)]
"""For routes whose response depends on nothing else of the caller, so that it may be cached."""
UserSession = Annotated[Principal, Depends(require_user_session)]
