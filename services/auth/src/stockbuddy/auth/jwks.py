"""HTTP endpoint of the public signing keys, for the gateway, the services and other systems that verify tokens."""

from typing import Any

from fastapi import APIRouter, Response

from stockbuddy.auth.dependencies import Services
from stockbuddy.chassis.http.authentication import PUBLIC
from stockbuddy.chassis.http.etags import ConditionalRoute

router = APIRouter(tags=["auth"], route_class=ConditionalRoute)

MAX_AGE_SECONDS = 60
"""Less than SIGNING_KEY_ACTIVATION_DELAY_SECONDS, so that caches have a new key before it signs."""


@router.get("/.well-known/jwks.json", dependencies=[PUBLIC])
async def get_signing_keys(services: Services, response: Response) -> dict[str, Any]:
    """The public signing keys as a JWK set (RFC 7517)."""
    response.headers["Cache-Control"] = f"public, max-age={MAX_AGE_SECONDS}"
    return await services.signing_keys.jwks()
