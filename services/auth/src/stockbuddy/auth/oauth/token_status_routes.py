"""HTTP of revocation (RFC 7009) and introspection (RFC 7662)."""

from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from stockbuddy.auth.dependencies import Services
from stockbuddy.auth.logins.schemas import FORM
from stockbuddy.auth.oauth.client_authentication import authenticate_app
from stockbuddy.auth.oauth.errors import InvalidClient, InvalidGrant, InvalidRequest, UnauthorizedClient
from stockbuddy.auth.oauth.requests import TokenForm
from stockbuddy.auth.oauth.token_status import find_token_status, revoke_token
from stockbuddy.auth.sessions.tokens import forbid_caching
from stockbuddy.chassis.http.authentication import PUBLIC
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.resources import get_resources

router = APIRouter(prefix="/api/v1/oauth", tags=["apps"])
"""Without StrictQueryRoute: unknown parameters are ignored (RFC 6749 §3.2)."""


class IntrospectionResponse(BaseModel):
    """Whether a token is active; only then it has the other members."""

    active: bool
    scope: str | None = None
    client_id: str | None = None
    username: str | None = None
    token_type: Literal["bearer"] | None = None
    exp: int | None = None
    sub: str | None = None
    iss: str | None = None


def _body(title: str) -> dict[str, Any]:
    names = ("token", "token_type_hint", "client_id", "client_secret")
    properties = {name: {"type": "string"} for name in names}
    schema = {"title": title, "type": "object", "required": ["token"], "properties": properties}
    return {"requestBody": {"required": True, "content": {FORM: {"schema": schema}}}}


@router.post("/revoke", dependencies=[PUBLIC], openapi_extra=_body("TokenRevocation"))
@raises(InvalidRequest, InvalidClient, InvalidGrant)
async def revoke_app_token(form: TokenForm, request: Request, services: Services) -> Response:
    """Revoke a token of an app.

    The revocation endpoint of RFC 7009, for apps. A refresh token ends its grant with all its tokens; an access token
    is rejected within a second, and the grant continues. An invalid token gets the same empty 200.
    """
    verifier = get_resources(request).verifier
    async with services.database.transaction() as session:
        app = await authenticate_app(session, form)
        is_own = await revoke_token(session, app, form.require("token"), verifier, services.settings)
    if not is_own:
        raise InvalidGrant("The token was issued to another client.")
    return Response(headers={"Cache-Control": "no-store"})


@router.post(
    "/introspect",
    dependencies=[PUBLIC],
    openapi_extra=_body("TokenIntrospection"),
    response_model_exclude_none=True,
)
@raises(InvalidRequest, InvalidClient, UnauthorizedClient)
async def introspect_app_token(
    form: TokenForm, request: Request, response: Response, services: Services
) -> IntrospectionResponse:
    """Ask whether a token is active.

    The introspection endpoint of RFC 7662, for confidential apps and their own tokens; all others are not `active`.
    """
    forbid_caching(response)
    verifier = get_resources(request).verifier
    async with services.database.transaction() as session:
        app = await authenticate_app(session, form)
        if not app.is_confidential:
            raise UnauthorizedClient("Only confidential apps can do this.")
        status = await find_token_status(session, app, form.require("token"), verifier)
    if status is None:
        return IntrospectionResponse(active=False)
    return IntrospectionResponse(
        active=True,
        scope=" ".join(status.scopes),
        client_id=app.client_id,
        username=status.username,
        token_type="bearer",
        exp=status.expires_at,
        sub=str(status.grant.user_id),
        iss=services.settings.public_url,
    )
