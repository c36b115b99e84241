"""Authentication of requests as FastAPI dependencies. Every route declares one of them; `permissions` enforces that."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

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


async def require_manager(caller: Annotated[Principal, Depends(authenticate)]) -> Principal:
    if not caller.is_manager:
        raise Forbidden("Only managers and admins may do this.")
    return caller


async def require_admin(caller: Annotated[Principal, Depends(authenticate)]) -> Principal:
    if not caller.is_admin:
        raise Forbidden("Only admins may do this.")
    return caller


class UserSessionRequired(Forbidden):
    """API keys cannot do this; log in with a password."""

    code = "interactive_only"


async def require_user_session(caller: Annotated[Principal, Depends(authenticate)]) -> Principal:
    """For personal resources: an API key has its role's permissions, but no access to its owner's account."""
    if not caller.is_user_session:
        raise UserSessionRequired()
    return caller


async def allow_anonymous() -> None:
    """Dependency that marks a route as public."""


PUBLIC = Depends(allow_anonymous)
Caller = Annotated[Principal, Depends(authenticate)]
Manager = Annotated[Principal, Depends(require_manager)]
Admin = Annotated[Principal, Depends(require_admin)]
UserSession = Annotated[Principal, Depends(require_user_session)]
