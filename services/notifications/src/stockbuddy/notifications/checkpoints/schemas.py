"""Checkpoints and their keys as clients see them."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _to_hex(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


class CheckpointResponse(BaseModel):
    """A signed head of the chain."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    position: int
    epoch: int
    audited: int
    hash: Annotated[str, BeforeValidator(_to_hex)]
    kid: str
    jws: str
    signed_at: datetime


class CheckpointKeyResponse(BaseModel):
    """A public key as a JSON Web Key (RFC 7517 and 8037)."""

    kty: str
    crv: str
    x: str
    kid: str
    use: str
    alg: str


class CheckpointKeysResponse(BaseModel):
    """A JWK set: every key that has signed a checkpoint."""

    keys: Annotated[list[CheckpointKeyResponse], Field(description="The public keys, newest first.")]
