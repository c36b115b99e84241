"""The signing keys as a running replica holds them, and the tokens that it signs with them.

Replicas reread the keys every few seconds; a new one is published for longer than that before it signs.
"""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Depends, Request

from stockbuddy.auth.crypto import BrokenSeal, Seal
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.signing import commands, queries
from stockbuddy.auth.signing.model import SigningKey
from stockbuddy.auth.signing.schedule import signing_key_at
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.failures import is_connection_error
from stockbuddy.chassis.http.tokens import TOKEN_ALGORITHMS, TOKEN_TYPE, Principal

log = structlog.get_logger(__name__)


class NoSigningKey(RuntimeError):
    """No stored signing key opens with this SECRET_KEY. Set the one it was made with, or make a new signing key
    with `python -m stockbuddy.auth rotate-keys` (tokens signed so far stay valid)."""


@dataclass(frozen=True, slots=True)
class LoadedKey:
    kid: str
    signs_from: datetime
    public_jwk: Mapping[str, Any]
    private_key: Ed25519PrivateKey | None
    """None when another SECRET_KEY sealed it: it still verifies, but can't sign."""


class SigningKeys:
    def __init__(self, database: Database, seal: Seal, settings: AuthSettings) -> None:
        self._database = database
        self._seal = seal
        self._settings = settings
        self._keys: list[LoadedKey] = []

    async def start(self) -> None:
        """Load the keys, after making the first one where there is none. Raises NoSigningKey."""
        async with self._database.transaction() as session:
            await commands.ensure_key(session, self._seal)
        await self.reload()
        self._current()

    async def reload(self) -> None:
        async with self._database.reading() as session:
            self._keys = [self._loaded(key) for key in await queries.all_keys(session)]

    async def run(self) -> None:
        """Until cancelled: follow the stored keys, rotate the old ones, drop the outlived ones."""
        settings = self._settings
        while True:
            try:
                async with self._database.transaction() as session:
                    await commands.rotate_when_due(
                        session,
                        self._seal,
                        ahead=timedelta(seconds=settings.signing_key_ahead_seconds),
                        age=timedelta(days=settings.signing_key_days),
                    )
                    lifetime = timedelta(seconds=settings.access_token_seconds)
                    await commands.drop_outlived_keys(session, token_lifetime=lifetime)
                await self.reload()
            except Exception as error:
                if not is_connection_error(error):
                    raise
                log.warning("signing.database_away")
            await asyncio.sleep(settings.signing_key_reread_seconds)

    async def document(self) -> dict[str, Any]:
        """The JWK set (RFC 7517) of every published key."""
        return {"keys": [dict(key.public_jwk) for key in self._keys]}

    def sign(self, principal: Principal) -> str:
        """An access token for `principal` until its `expires_at`."""
        key = self._current()
        assert key.private_key is not None
        claims = {
            "iss": self._settings.token_issuer,
            "aud": self._settings.token_audience,
            "sub": str(principal.user_id),
            "sid": principal.session_id,
            "jti": uuid.uuid4().hex,
            "iat": int(datetime.now(UTC).timestamp()),
            "exp": principal.expires_at,
            "role": principal.role.value,
            "username": principal.username,
            "warehouse_ids": None if principal.warehouse_ids is None else sorted(principal.warehouse_ids),
        }
        headers = {"kid": key.kid, "typ": TOKEN_TYPE}
        return jwt.encode(claims, key.private_key, algorithm=TOKEN_ALGORITHMS[0], headers=headers)

    def _current(self) -> LoadedKey:
        able = [key for key in self._keys if key.private_key is not None]
        key = signing_key_at(able, datetime.now(UTC))
        if key is None:
            raise NoSigningKey(NoSigningKey.__doc__)
        return key

    def _loaded(self, key: SigningKey) -> LoadedKey:
        try:
            private_key = Ed25519PrivateKey.from_private_bytes(self._seal.open(key.sealed_private_key))
        except BrokenSeal:
            private_key = None
        return LoadedKey(key.kid, key.signs_from, key.public_jwk, private_key)


def signing_keys_of(request: Request) -> SigningKeys:
    keys: SigningKeys = request.app.state.signing_keys
    return keys


Keys = Annotated[SigningKeys, Depends(signing_keys_of)]
