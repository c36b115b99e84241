"""Who calls: by a bearer token, an API key or a browser's session cookie, looked for in this order.

Whatever it was, a service gets a bearer token, and verifies it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from stockbuddy.chassis.errors import Unauthenticated
from stockbuddy.chassis.identity import Principal, TokenVerifier, bearer_token
from stockbuddy.gateway.admission.browsers import (
    SESSION_COOKIE,
    cookies_of,
    refuse_foreign_form,
    refuse_foreign_socket,
)
from stockbuddy.gateway.admission.exchange import Exchange, Exchanged, Kind
from stockbuddy.gateway.admission.incoming import Incoming
from stockbuddy.gateway.admission.rate_limits import RateLimits
from stockbuddy.gateway.admission.revocations import Revocations

WEBSOCKET = "WEBSOCKET"
"""Stands where a method does."""


@dataclass(slots=True)
class Caller:
    """`authorization` is the header's value for the service."""

    principal: Principal
    authorization: bytes

    @property
    def name(self) -> str:
        """Who is counted and limited: a user, or a machine by its key."""
        session_id = self.principal.session_id
        return session_id if session_id.startswith("key:") else f"user:{self.principal.user_id}"


class Credentials:
    def __init__(
        self,
        verifier: TokenVerifier,
        revocations: Revocations,
        exchange: Exchange,
        limits: RateLimits,
        *,
        allowed_origins: Sequence[str],
    ) -> None:
        self._verifier = verifier
        self._revocations = revocations
        self._exchange = exchange
        self._limits = limits
        self._allowed_origins = frozenset(allowed_origins)

    async def caller(self, incoming: Incoming, method: str, address: str) -> Caller | None:
        """None when the request shows no credentials. Raises Unauthenticated for bad ones, ForeignPage, Unavailable,
        TooManyRequests for one who guesses keys."""
        noted = incoming.noted
        if (authorization := noted.get(b"authorization")) is not None:
            return await self._by_token(bearer_token(authorization.decode("latin-1")))
        if (api_key := noted.get(b"x-api-key")) is not None:
            exchanged = await self._exchanged("api_key", api_key.decode("latin-1"), address)
            return await self._by_token(exchanged.access_token)
        if b"cookie" in noted and (cookies := cookies_of(incoming)).get(SESSION_COOKIE):
            return await self._by_cookie(incoming, cookies, method, address)
        return None

    async def _by_token(self, token: str) -> Caller:
        principal = await self._verifier.verify(token)
        self._revocations.refuse_if_unknown()
        if self._revocations.has_ended(principal.session_id):
            raise Unauthenticated("The session has ended.")
        return Caller(principal, f"Bearer {token}".encode("latin-1"))

    async def _by_cookie(self, incoming: Incoming, cookies: dict[str, str], method: str, address: str) -> Caller:
        exchanged = await self._exchanged("session_cookie", cookies[SESSION_COOKIE], address)
        caller = await self._by_token(exchanged.access_token)
        if method == WEBSOCKET:
            refuse_foreign_socket(incoming, self._allowed_origins)
        else:
            refuse_foreign_form(incoming, method, cookies, exchanged.csrf_token)
        return caller

    async def _exchanged(self, kind: Kind, secret: str, address: str) -> Exchanged:
        if not secret:
            raise Unauthenticated
        exchanged = self._exchange.remembered(kind, secret)
        if exchanged is None:
            # A question to auth is work for a stranger, until the answer says that it is none.
            await self._limits.count_stranger(address)
            exchanged = await self._exchange.ask(kind, secret)
        return exchanged
