"""Verification of ID tokens (OpenID Connect Core 1.0 §3.1.3.7).

PyJWT verifies signature, times, issuer and audience.
"""

import hmac
from collections.abc import Mapping
from typing import Any

import jwt

CLOCK_LEEWAY_SECONDS = 60
REQUIRED_CLAIMS = ["iss", "sub", "aud", "exp", "iat"]
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures with a public key only: with HS256 anyone who knows the public key could sign."""
MAX_SUBJECT_LENGTH = 255


class InvalidIdToken(Exception):
    """The ID token is malformed, forged, expired, or of another client or sign-in."""


def verify_id_token(id_token: str, key: jwt.PyJWK, *, issuer: str, client_id: str, nonce: str) -> Mapping[str, Any]:
    """The claims. Raises InvalidIdToken."""
    try:
        claims: dict[str, Any] = jwt.decode(
            id_token,
            key,
            algorithms=list(ALGORITHMS),
            issuer=issuer,
            audience=client_id,
            leeway=CLOCK_LEEWAY_SECONDS,
            options={"require": REQUIRED_CLAIMS},
        )
    except jwt.PyJWTError as error:
        raise InvalidIdToken(str(error)) from error
    _check_audience(claims, client_id)
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise InvalidIdToken("The nonce is not that of this sign-in.")
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= MAX_SUBJECT_LENGTH:
        raise InvalidIdToken("The subject is not a text of 1 to 255 characters.")
    return claims


def read_key_id(id_token: str) -> str | None:
    """The `kid` in the unverified header. Raises InvalidIdToken."""
    try:
        kid = jwt.get_unverified_header(id_token).get("kid")
    except jwt.PyJWTError as error:
        raise InvalidIdToken(str(error)) from error
    return None if kid is None else str(kid)


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    """A token for several audiences must have been issued to this client (`azp`)."""
    has_others = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (has_others or "azp" in claims) and claims.get("azp") != client_id:
        raise InvalidIdToken("The ID token was issued to another client.")
