"""HTTP of the authorization server's metadata (RFC 8414)."""

from fastapi import APIRouter, Response
from pydantic import BaseModel

from stockbuddy.auth.dependencies import Services
from stockbuddy.auth.oauth.app_tokens import GRANT_TYPES
from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.authentication import PUBLIC
from stockbuddy.chassis.http.etags import ConditionalRoute

router = APIRouter(tags=["apps"], route_class=ConditionalRoute)

MAX_AGE_SECONDS = 300
WITH_SECRET = ["client_secret_basic", "client_secret_post"]


class ServerMetadataResponse(BaseModel):
    """The endpoints and abilities of this authorization server, under their names of RFC 8414."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: str
    introspection_endpoint: str
    device_authorization_endpoint: str
    jwks_uri: str
    service_documentation: str
    scopes_supported: list[str]
    response_types_supported: list[str]
    response_modes_supported: list[str]
    grant_types_supported: list[str]
    code_challenge_methods_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    revocation_endpoint_auth_methods_supported: list[str]
    introspection_endpoint_auth_methods_supported: list[str]
    authorization_response_iss_parameter_supported: bool


@router.get("/.well-known/oauth-authorization-server", dependencies=[PUBLIC])
async def get_server_metadata(services: Services, response: Response) -> ServerMetadataResponse:
    """Read the metadata of the authorization server.

    What OAuth2 clients need to know to connect (RFC 8414): the issuer, the endpoints, the scopes. The scopes are the
    names of permissions in `GET /permissions`.
    """
    response.headers["Cache-Control"] = f"public, max-age={MAX_AGE_SECONDS}"
    issuer = services.settings.public_url
    base = f"{issuer}/api/v1"
    return ServerMetadataResponse(
        issuer=issuer,
        authorization_endpoint=f"{base}/oauth/authorize",
        token_endpoint=f"{base}/auth/token",
        revocation_endpoint=f"{base}/oauth/revoke",
        introspection_endpoint=f"{base}/oauth/introspect",
        device_authorization_endpoint=f"{base}/oauth/device",
        jwks_uri=f"{issuer}/.well-known/jwks.json",
        service_documentation=f"{issuer}/docs",
        scopes_supported=list(Permission),
        response_types_supported=["code"],
        response_modes_supported=["query"],
        grant_types_supported=list(GRANT_TYPES),
        code_challenge_methods_supported=["S256"],
        token_endpoint_auth_methods_supported=["none", *WITH_SECRET],
        revocation_endpoint_auth_methods_supported=["none", *WITH_SECRET],
        introspection_endpoint_auth_methods_supported=WITH_SECRET,
        authorization_response_iss_parameter_supported=True,
    )
