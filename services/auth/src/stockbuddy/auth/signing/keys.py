"""The signing keys in memory of a replica, and the tokens that it signs with them.

Replicas reload the keys every few seconds; a new key is published for longer than that before it signs.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from stockbuddy.auth.crypto import DecryptionError, SecretBox
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.signing import commands, queries
from stockbuddy.auth.signing.model import SigningKey
from stockbuddy.auth.signing.schedule import signing_key_at
from stockbuddy.chassis.http.tokens import TOKEN_ALGORITHMS, TOKEN_TYPE, Principal, permission_claims
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.background import PollingWorker


class NoSigningKey(RuntimeError):
    """No stored signing key can be decrypted with this SECRET_KEY. Restore the former SECRET_KEY, or create a new
    signing key with `python -m stockbuddy.auth rotate-keys` (tokens signed so far stay valid)."""


@dataclass(frozen=True, slots=True)
class LoadedKey:
    """`private_key` is None if it was encrypted with another SECRET_KEY: the key verifies, but cannot sign."""

    kid: str
    signs_from: datetime
    public_jwk: Mapping[str, Any]
    private_key: Ed25519PrivateKey | None


class SigningKeys:
    """Signs access tokens, publishes the key set, and rotates the stored keys."""

    def __init__(self, database: Database, secret_box: SecretBox, settings: AuthSettings) -> None:
        self._database = database
        self._secret_box = secret_box
        self._settings = settings
        self._keys: list[LoadedKey] = []

    async def start(self) -> None:
        """Load the keys; create the first one if there is none. Raises NoSigningKey."""
        async with self._database.transaction() as session:
            await commands.ensure_key(session, self._secret_box)
        await self._reload()
        self._current()

    def worker(self) -> PollingWorker:
        interval_seconds = self._settings.signing_key_reload_interval_seconds
        return PollingWorker("auth.signing_keys", self._maintain, interval_seconds=interval_seconds)

    async def _maintain(self) -> None:
        settings = self._settings
        async with self._database.transaction() as session:
            await commands.rotate_if_due(
                session,
                self._secret_box,
                activation_delay=timedelta(seconds=settings.signing_key_activation_delay_seconds),
                max_age=timedelta(days=settings.signing_key_days),
            )
            lifetime = timedelta(seconds=settings.access_token_seconds)
            await commands.delete_expired_keys(session, token_lifetime=lifetime)
        await self._reload()

    async def _reload(self) -> None:
        async with self._database.reading() as session:
            self._keys = [self._load(key) for key in await queries.list_keys(session)]

    async def jwks(self) -> dict[str, Any]:
        """The JWK set (RFC 7517) of every published key."""
        return {"keys": [dict(key.public_jwk) for key in self._keys]}

    def sign(self, principal: Principal) -> str:
        """An access token for `principal`, valid until its `expires_at`."""
        key = self._current()
        assert key.private_key is not None
        claims = {
            "iss": self._settings.token_issuer,
            "aud": self._settings.token_audience,
            "sub": str(principal.user_id),
            "sid": principal.session_id,
            "jti": uuid.uuid4().hex,
            "iat": int(clock.now().timestamp()),
            "exp": principal.expires_at,
            "role": principal.role,
            **permission_claims(principal),
            "username": principal.username,
            "warehouse_ids": None if principal.warehouse_ids is None else sorted(principal.warehouse_ids),
            **({"networks": list(principal.networks)} if principal.networks is not None else {}),
            **({"client_id": principal.client_id} if principal.client_id is not None else {}),
            **({"renewed": True} if principal.is_renewed else {}),
            **({"max_discount_percent": str(limit)} if (limit := principal.max_discount_percent) is not None else {}),
        }
        headers = {"kid": key.kid, "typ": TOKEN_TYPE}
        return jwt.encode(claims, key.private_key, algorithm=TOKEN_ALGORITHMS[0], headers=headers)

    def _current(self) -> LoadedKey:
        able_to_sign = [key for key in self._keys if key.private_key is not None]
        key = signing_key_at(able_to_sign, clock.now())
        if key is None:
            raise NoSigningKey(NoSigningKey.__doc__)
        return key

    def _load(self, key: SigningKey) -> LoadedKey:
        try:
            private_key = Ed25519PrivateKey.from_private_bytes(self._secret_box.decrypt(key.encrypted_private_key))
        except DecryptionError:
            private_key = None
        return LoadedKey(key.kid, key.signs_from, key.public_jwk, private_key)
