"""A signed head of the chain: a compact JWS (RFC 7515) with EdDSA (RFC 8037), readable without the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ALGORITHM = "EdDSA"
TYPE = "audit-checkpoint+jwt"
ISSUER = "stockbuddy"
_REQUIRED = ["iss", "iat", "position", "epoch", "audited", "hash"]


class InvalidCheckpoint(Exception):
    """The text is not a checkpoint with a valid signature of one of the keys."""


@dataclass(frozen=True, slots=True)
class SignedHead:
    """The last entry of the log when it was signed. `hash`: in hex; `audited`: number of audited entries."""

    position: int
    epoch: int
    audited: int
    hash: str
    signed_at: datetime
    kid: str

    def sign(self, key: Ed25519PrivateKey) -> str:
        claims = {
            "iss": ISSUER,
            "iat": int(self.signed_at.timestamp()),
            "position": self.position,
            "epoch": self.epoch,
            "audited": self.audited,
            "hash": self.hash,
        }
        return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": self.kid, "typ": TYPE})

    @classmethod
    def verify(cls, jws: str, keys: Mapping[str, jwt.PyJWK]) -> "SignedHead":
        """Raises InvalidCheckpoint. `keys` by `kid`."""
        try:
            header = jwt.get_unverified_header(jws)
            kid = str(header.get("kid"))
            if kid not in keys:
                raise InvalidCheckpoint(f"signed by the key {kid}, which is not among the given keys")
            if header.get("typ") != TYPE:
                raise InvalidCheckpoint("not a checkpoint")
            # A checkpoint stays valid for ever, and a clock that was wrong is no reason to reject its signature.
            options: Any = {"require": _REQUIRED, "verify_iat": False, "verify_exp": False, "verify_nbf": False}
            claims = jwt.decode(jws, keys[kid], algorithms=[ALGORITHM], issuer=ISSUER, options=options)
            return cls._from_claims(claims, kid)
        except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:
            raise InvalidCheckpoint(str(error) or type(error).__name__) from error

    @classmethod
    def _from_claims(cls, claims: Mapping[str, Any], kid: str) -> "SignedHead":
        return cls(
            position=int(claims["position"]),
            epoch=int(claims["epoch"]),
            audited=int(claims["audited"]),
            hash=str(claims["hash"]),
            signed_at=datetime.fromtimestamp(int(claims["iat"]), UTC),
            kid=kid,
        )


def keys_of(jwks: Mapping[str, Any]) -> dict[str, jwt.PyJWK]:
    """The keys of a JWK set (RFC 7517), by `kid`. Raises ValueError."""
    try:
        return {str(key["kid"]): jwt.PyJWK(key) for key in jwks["keys"]}
    except (jwt.PyJWTError, KeyError, TypeError) as error:
        raise ValueError(f"not a JWK set: {error!r}") from error
