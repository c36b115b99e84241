"""Publishes the signing keys for whoever verifies tokens: the gateway, the services and other systems."""

from typing import Any

from fastapi import APIRouter, Response

from stockbuddy.auth.signing.keys import Keys
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.authentication import PUBLIC

router = APIRouter(tags=["auth"], route_class=ConditionalRoute)

FRESH_SECONDS = 60
"""Shorter than a new key is published before it signs (SIGNING_KEY_AHEAD_SECONDS)."""


@router.get("/.well-known/jwks.json", dependencies=[PUBLIC])
async def get_signing_keys(keys: Keys, response: Response) -> dict[str, Any]:
    """The public signing keys as a JWK set (RFC 7517)."""
    response.headers["Cache-Control"] = f"public, max-age={FRESH_SECONDS}"
    return await keys.document()
