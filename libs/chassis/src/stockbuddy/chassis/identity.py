"""Who calls: verifies access tokens (RFC 7519, RFC 9068 in spirit) against auth's published keys (RFC 7517).

PyJWT checks neither missing claims nor `typ` unless told to, so everything that makes a token ours is listed here.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import aiohttp
import jwt
import structlog
from fastapi import Depends
from starlette.requests import HTTPConnection

from stockbuddy.chassis.errors import Forbidden, Unauthenticated, Unavailable
from stockbuddy.chassis.origin import set_actor

log = structlog.get_logger(__name__)

TOKEN_ALGORITHMS = ("EdDSA",)
TOKEN_TYPE = "at+jwt"
REQUIRED_CLAIMS = ("exp", "iat", "iss", "aud", "sub", "sid", "jti", "role", "username")


class Role(StrEnum):
    """What a user may do grows from salesperson over manager to admin."""

    SALESPERSON = "salesperson"
    MANAGER = "manager"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller. `warehouse_ids` null means all; `session_id` is what logout ends."""

    user_id: int
    username: str
    role: Role
    session_id: str
    warehouse_ids: frozenset[int] | None
    expires_at: int
    """Seconds since the epoch."""

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN

    @property
    def is_manager(self) -> bool:
        """True for managers and admins."""
        return self.role in (Role.MANAGER, Role.ADMIN)

    def may_write_stock_at(self, warehouse_id: int) -> bool:
        return self.warehouse_ids is None or warehouse_id in self.warehouse_ids


FetchKeys = Callable[[], Awaitable[Mapping[str, Any]]]
"""Gets a JWK set, `{"keys": [...]}`; raises OSError, aiohttp.ClientError or TimeoutError when it can't."""


def keys_over_http(url: str) -> FetchKeys:
    async def fetch() -> Mapping[str, Any]:
        timeout = aiohttp.ClientTimeout(total=3)
        async with aiohttp.ClientSession(timeout=timeout) as client, client.get(url) as response:
            response.raise_for_status()
            document: Mapping[str, Any] = await response.json()
            return document

    return fetch


class Keyring:
    """The issuer's public keys by `kid`. An unknown kid asks again, at most once a second, so that
    neither a rotation fails a request nor a flood of forged kids becomes a flood of fetches."""

    refetch_seconds = 1.0

    def __init__(self, fetch: FetchKeys) -> None:
        self._fetch = fetch
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = -self.refetch_seconds
        self._lock = asyncio.Lock()

    async def key(self, kid: str) -> jwt.PyJWK | None:
        """The key of that id, or None. Raises Unavailable when no key was ever fetched."""
        if kid not in self._keys:
            await self._refetch(kid)
        return self._keys.get(kid)

    async def _refetch(self, kid: str) -> None:
        async with self._lock:
            if kid in self._keys or time.monotonic() - self._fetched_at < self.refetch_seconds:
                return
            try:
                document = await self._fetch()
            except (OSError, aiohttp.ClientError, TimeoutError) as error:
                log.warning("keys.unreachable", error=repr(error))
                if not self._keys:
                    raise Unavailable("Tokens can't be verified at the moment.") from error
                return
            self._keys = {key["kid"]: jwt.PyJWK(key) for key in document["keys"]}
            self._fetched_at = time.monotonic()


class TokenVerifier:
    """Verifies access tokens; remembers verified ones until they expire, because one signature check costs
    more than the rest of the gateway's work on a request."""

    remembered_tokens = 10_000

    def __init__(self, keyring: Keyring, *, issuer: str, audience: str) -> None:
        self._keyring = keyring
        self._issuer = issuer
        self._audience = audience
        self._verified: OrderedDict[str, Principal] = OrderedDict()

    async def verify(self, token: str) -> Principal:
        """The caller behind a bearer token. Raises Unauthenticated for any token that is not ours and alive."""
        principal = self._verified.get(token)
        if principal is None:
            principal = await self._verify_signed(token)
            self._remember(token, principal)
        if principal.expires_at <= time.time():
            raise Unauthenticated("The access token has expired.")
        return principal

    async def _verify_signed(self, token: str) -> Principal:
        try:
            header = jwt.get_unverified_header(token)
            key = await self._keyring.key(str(header.get("kid")))
            if key is None or header.get("typ") != TOKEN_TYPE or header.get("alg") not in TOKEN_ALGORITHMS:
                raise Unauthenticated("The access token is not valid.")
            claims = jwt.decode(
                token,
                key,
                algorithms=list(TOKEN_ALGORITHMS),
                issuer=self._issuer,
                audience=self._audience,
                options={"require": list(REQUIRED_CLAIMS)},
            )
            return _principal(claims)
        except jwt.ExpiredSignatureError as error:
            raise Unauthenticated("The access token has expired.") from error
        except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:
            raise Unauthenticated("The access token is not valid.") from error

    def _remember(self, token: str, principal: Principal) -> None:
        self._verified[token] = principal
        if len(self._verified) > self.remembered_tokens:
            self._verified.popitem(last=False)


def _principal(claims: Mapping[str, Any]) -> Principal:
    warehouse_ids = claims.get("warehouse_ids")
    return Principal(
        user_id=int(claims["sub"]),
        username=str(claims["username"]),
        role=Role(claims["role"]),
        session_id=str(claims["sid"]),
        warehouse_ids=None if warehouse_ids is None else frozenset(map(int, warehouse_ids)),
        expires_at=int(claims["exp"]),
    )


def bearer_token(authorization: str | None) -> str:
    """The token in an `Authorization` header's value (RFC 6750). Raises Unauthenticated when there is none."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("An access token is needed.")
    return token.strip()


async def authenticate(request: HTTPConnection) -> Principal:
    """FastAPI dependency of requests and WebSockets: the verified caller; also names the actor of whatever the
    request changes."""
    principal: Principal | None = getattr(request.state, "principal", None)
    if principal is None:
        verifier: TokenVerifier = request.app.state.verifier
        principal = await verifier.verify(bearer_token(request.headers.get("authorization")))
        request.state.principal = principal
    set_actor(principal.user_id, principal.username)
    return principal


async def require_manager(caller: Annotated[Principal, Depends(authenticate)]) -> Principal:
    if not caller.is_manager:
        raise Forbidden("Only managers and admins may do this.")
    return caller


async def require_admin(caller: Annotated[Principal, Depends(authenticate)]) -> Principal:
    if not caller.is_admin:
        raise Forbidden("Only admins may do this.")
    return caller


async def anyone() -> None:
    """The mark of a route that needs no credentials: `dependencies=[PUBLIC]`."""


PUBLIC = Depends(anyone)
Caller = Annotated[Principal, Depends(authenticate)]
Manager = Annotated[Principal, Depends(require_manager)]
Admin = Annotated[Principal, Depends(require_admin)]
