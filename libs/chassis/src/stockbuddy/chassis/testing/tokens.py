"""An issuer of access tokens for tests: a key pair, its JWK set, and tokens for any user."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from stockbuddy.chassis.access.roles import Role
from stockbuddy.chassis.http.tokens import CLOCK_LEEWAY_SECONDS, TOKEN_ALGORITHMS, TOKEN_TYPE


class TestIssuer:
    """Pass `fetch_jwks` to `create_app` to make its tokens valid there."""

    __test__: ClassVar[bool] = False

    def __init__(self, *, issuer: str = "stockbuddy", audience: str = "stockbuddy") -> None:
        self._key = Ed25519PrivateKey.generate()
        self._kid = uuid4().hex
        self._issuer = issuer
        self._audience = audience

    async def fetch_jwks(self) -> Mapping[str, Any]:
        public = json.loads(OKPAlgorithm.to_jwk(self._key.public_key()))
        return {"keys": [{**public, "kid": self._kid, "use": "sig", "alg": TOKEN_ALGORITHMS[0]}]}

    def token(
        self,
        user_id: int = 1,
        role: Role | str = Role.ADMIN,
        *,
        username: str | None = None,
        session_id: str | None = None,
        warehouse_ids: Iterable[int] | None = None,
        lifetime_seconds: float = 900,
        **claims: Any,
    ) -> str:
        """A signed token; `claims` are added to the standard ones or replace them."""
        now = int(time.time())
        payload = {
            "iss": self._issuer,
            "aud": self._audience,
            "iat": now,
            "exp": int(now + lifetime_seconds),
            "jti": uuid4().hex,
            "sub": str(user_id),
            "sid": session_id or uuid4().hex,
            "role": str(role),
            "username": username or f"user{user_id}",
            "warehouse_ids": None if warehouse_ids is None else sorted(warehouse_ids),
            **claims,
        }
        return self.sign(payload)

    def sign(self, claims: Mapping[str, Any], *, token_type: str = TOKEN_TYPE) -> str:
        """A signed token with exactly these claims."""
        headers = {"kid": self._kid, "typ": token_type}
        return jwt.encode(dict(claims), self._key, algorithm=TOKEN_ALGORITHMS[0], headers=headers)

    def headers(self, user_id: int = 1, role: Role | str = Role.ADMIN, **details: Any) -> dict[str, str]:
        """Request headers with a token."""
        return {"Authorization": f"Bearer {self.token(user_id, role, **details)}"}

    def expiring_headers(self, user_id: int = 1, **details: Any) -> Iterator[dict[str, str]]:
        """Headers with tokens that are accepted for 2, 8 and 32 s: a slow machine fails to use the first in time."""
        for seconds in (2, 8, 32):
            yield self.headers(user_id, **details, lifetime_seconds=seconds - CLOCK_LEEWAY_SECONDS)
