"""HTTP endpoint of the public signing keys, for the gateway, the services and other systems that verify tokens."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel

from stockbuddy.auth.dependencies import Services
from stockbuddy.chassis.http.authentication import PUBLIC
from stockbuddy.chassis.http.etags import ConditionalRoute

router = APIRouter(tags=["auth"], route_class=ConditionalRoute)

MAX_AGE_SECONDS = 60
"""Less than SIGNING_KEY_ACTIVATION_DELAY_SECONDS, so that caches have a new key before it signs."""


class SigningKeyResponse(BaseModel):
    """A public key as a JSON Web Key (RFC 7517 and 8037)."""

    kty: str
    crv: str
    x: str
    kid: str
    use: str
    alg: str


class SigningKeysResponse(BaseModel):
    """A JWK set: every key whose tokens may still be valid, and the next one before it signs."""

    keys: list[SigningKeyResponse]


@router.get("/.well-known/jwks.json", response_model=SigningKeysResponse, dependencies=[PUBLIC])
async def get_signing_keys(services: Services, response: Response) -> dict[str, Any]:
    """Read the public signing keys.

    The JWK set (RFC 7517) with which other systems verify access tokens. After a rotation the old key stays
    published while its tokens live. Cache it for a minute.
    """
    response.headers["Cache-Control"] = f"public, max-age={MAX_AGE_SECONDS}"
    return await services.signing_keys.jwks()
