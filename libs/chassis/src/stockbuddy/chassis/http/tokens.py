"""Verifies access tokens (JWT, RFC 7519; profile of RFC 9068) against auth's published keys (JWKS, RFC 7517).

PyJWT checks neither missing claims nor `typ` by default, so every required property is listed here.
"""

import asyncio
import time
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import aiohttp
import jwt
import structlog

from stockbuddy.chassis.access.permissions import Permission, sorted_names
from stockbuddy.chassis.access.roles import PERMISSIONS_BY_ROLE
from stockbuddy.chassis.http.errors import Unauthenticated, Unavailable
from stockbuddy.chassis.runtime import clock
from stockbuddy.chassis.runtime.companies import COMPANY_HEADER

log = structlog.get_logger(__name__)

TOKEN_ALGORITHMS = ("EdDSA",)
CLOCK_LEEWAY_SECONDS = 30
"""How far the clocks of auth and of a verifier may differ: applies to `iat`, `nbf` and `exp`."""
TIMES_CHECKED_HERE = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
TOKEN_TYPE = "at+jwt"
REQUIRED_CLAIMS = ("exp", "iat", "iss", "aud", "sub", "sid", "jti", "role", "username")


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller. `role` is a name for people; `permissions` decide. `warehouse_ids` None: all warehouses.
    `session_id`: the login session that logout revokes. `max_discount_percent` None: without limit."""

    user_id: int
    username: str
    role: str
    permissions: frozenset[Permission]
    session_id: str
    warehouse_ids: frozenset[int] | None
    expires_at: int
    """Seconds since the epoch, by the clock of auth."""
    max_discount_percent: Decimal | None = None
    networks: tuple[str, ...] | None = None
    """Networks (CIDR) from which the gateway accepts the credential; None: from everywhere."""
    client_id: str | None = None
    """The app of a third party that acts for the user; None: the user or an API key."""
    is_renewed: bool = False
    """True if the gateway got the token for an API key or a session cookie, and gets further ones while a stream is
    open: such a stream ends with the credential, not with the token."""

    @property
    def accepted_until(self) -> int:
        """`expires_at` with the leeway for differences between clocks."""
        return self.expires_at + CLOCK_LEEWAY_SECONDS

    @property
    def credential(self) -> str:
        """The user, the single API key (`key:17`) or the single grant of an app (`app:17`): stable across sessions,
        token renewals and rotations. Idempotency keys belong to it."""
        return str(self.user_id) if self.is_user_session else self.session_id.partition(".")[0]

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    @property
    def is_user_session(self) -> bool:
        """False for API keys and apps: only the `sid` of a user's session starts with a UUID."""
        try:
            uuid.UUID(self.session_id.partition(".")[0])
        except ValueError:
            return False
        return True

    def may_write_stock_at(self, warehouse_id: int) -> bool:
        return self.warehouse_ids is None or warehouse_id in self.warehouse_ids


FetchJwks = Callable[[], Awaitable[Mapping[str, Any]]]
"""Fetches a JWK set, `{"keys": [...]}`. Raises OSError, aiohttp.ClientError or TimeoutError."""


def fetch_jwks_over_http(url: str, company: str | None) -> FetchJwks:
    """The keys of auth, or of its `company`."""
    headers = {COMPANY_HEADER.decode(): company} if company else {}

    async def fetch() -> Mapping[str, Any]:
        timeout = aiohttp.ClientTimeout(total=3)
        async with aiohttp.ClientSession(timeout=timeout) as client, client.get(url, headers=headers) as response:
            response.raise_for_status()
            document: Mapping[str, Any] = await response.json()
            return document

    return fetch


class JwksCache:
    """The issuer's public keys by `kid`. An unknown `kid` triggers a fetch, at most one per second: a key rotation
    fails no request, and a flood of forged `kid` values causes no flood of fetches."""

    refetch_interval_seconds = 1.0

    def __init__(self, fetch: FetchJwks) -> None:
        self._fetch = fetch
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = -self.refetch_interval_seconds
        self._lock = asyncio.Lock()

    async def key(self, kid: str) -> jwt.PyJWK | None:
        """The key with this id, or None. Raises Unavailable if no key could be fetched yet."""
        if kid not in self._keys:
            await self._refetch(kid)
        return self._keys.get(kid)

    async def _refetch(self, kid: str) -> None:
        async with self._lock:
            if kid in self._keys or time.monotonic() - self._fetched_at < self.refetch_interval_seconds:
                return
            try:
                document = await self._fetch()
            except (OSError, aiohttp.ClientError, TimeoutError) as error:
                log.warning("jwks.unavailable", error=repr(error))
                if not self._keys:
                    raise Unavailable("Access tokens cannot be verified at the moment.") from error
                return
            self._keys = {key["kid"]: jwt.PyJWK(key) for key in document["keys"]}
            self._fetched_at = time.monotonic()


class TokenVerifier:
    """Verifies access tokens and caches verified ones until they expire, because one signature check costs more CPU
    than the rest of the gateway's work on a request."""

    max_cached_tokens = 10_000

    def __init__(self, jwks: JwksCache, *, issuer: str, audience: str) -> None:
        self._jwks = jwks
        self._issuer = issuer
        self._audience = audience
        self._verified: OrderedDict[str, Principal] = OrderedDict()

    async def verify(self, token: str) -> Principal:
        """The caller that a bearer token identifies. Raises Unauthenticated for an invalid or expired token."""
        principal = self._verified.get(token)
        if principal is None:
            principal = await self._verify_signed(token)
            self._cache(token, principal)
        if principal.accepted_until <= clock.timestamp():
            raise Unauthenticated("The access token has expired.")
        return principal

    async def _verify_signed(self, token: str) -> Principal:
        try:
            header = jwt.get_unverified_header(token)
            key = await self._jwks.key(str(header.get("kid")))
            if key is None or header.get("typ") != TOKEN_TYPE or header.get("alg") not in TOKEN_ALGORITHMS:
                raise Unauthenticated("The access token is not valid.")
            options: Any = {"require": list(REQUIRED_CLAIMS), **TIMES_CHECKED_HERE}
            claims = jwt.decode(
                token,
                key,
                algorithms=list(TOKEN_ALGORITHMS),
                issuer=self._issuer,
                audience=self._audience,
                options=options,
            )
            check_times(claims)
            return _principal(claims)
        except jwt.ExpiredSignatureError as error:
            raise Unauthenticated("The access token has expired.") from error
        except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:
            raise Unauthenticated("The access token is not valid.") from error

    def _cache(self, token: str, principal: Principal) -> None:
        self._verified[token] = principal
        if len(self._verified) > self.max_cached_tokens:
            self._verified.popitem(last=False)


def check_times(claims: Mapping[str, Any]) -> None:
    """PyJWT's checks of `exp`, `nbf` and `iat`, at the time of the installation instead of the machine's. Raises
    PyJWTError."""
    try:
        times = {name: int(claims[name]) for name in ("exp", "nbf", "iat") if name in claims}
    except (OverflowError, TypeError, ValueError) as error:
        raise jwt.DecodeError("a time is not a number") from error
    now = clock.timestamp()
    if times["exp"] <= now - CLOCK_LEEWAY_SECONDS:
        raise jwt.ExpiredSignatureError
    if max(times.get("nbf", 0), times.get("iat", 0)) > now + CLOCK_LEEWAY_SECONDS:
        raise jwt.ImmatureSignatureError


def _principal(claims: Mapping[str, Any]) -> Principal:
    warehouse_ids, networks = claims.get("warehouse_ids"), claims.get("networks")
    max_discount = claims.get("max_discount_percent")
    return Principal(
        user_id=int(claims["sub"]),
        username=str(claims["username"]),
        role=str(claims["role"]),
        permissions=_permissions(claims),
        session_id=str(claims["sid"]),
        warehouse_ids=None if warehouse_ids is None else frozenset(map(int, warehouse_ids)),
        expires_at=int(claims["exp"]),
        max_discount_percent=None if max_discount is None else Decimal(max_discount),
        networks=None if networks is None else tuple(map(str, networks)),
        client_id=None if (client_id := claims.get("client_id")) is None else str(client_id),
        is_renewed=claims.get("renewed") is True,
    )


def _permissions(claims: Mapping[str, Any]) -> frozenset[Permission]:
    """The claim `scope`, or without it those of the built-in role: most tokens stay short. Permissions that only a
    newer release of auth knows are ignored. Raises KeyError for an unknown role without a scope."""
    scope = claims.get("scope")
    if scope is None:
        return PERMISSIONS_BY_ROLE[claims["role"]]
    names = scope.split()
    return frozenset(permission for permission in Permission if permission in names)


def permission_claims(principal: Principal) -> dict[str, str]:
    """The claims that `_permissions` reads. The token of an app always names its scopes (RFC 9068 §2.2.3)."""
    if principal.client_id is None and principal.permissions == PERMISSIONS_BY_ROLE.get(principal.role):
        return {}
    return {"scope": " ".join(sorted_names(principal.permissions))}
