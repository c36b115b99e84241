"""Who calls: by a bearer token, an API key or a browser's session cookie, looked for in this order.

Whatever it was, a service gets a bearer token, and verifies it again.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from stockbuddy.chassis.http.errors import Unauthenticated
from stockbuddy.chassis.http.authentication import bearer_token
from stockbuddy.chassis.http.tokens import Principal, TokenVerifier
from stockbuddy.gateway.admission.browsers import (
    SESSION_COOKIE,
    cookies_of,
    is_of_our_page,
    is_our_pages_socket,
)
from stockbuddy.gateway.admission.exchange import Exchange, Exchanged, Kind
from stockbuddy.gateway.admission.incoming import Incoming
from stockbuddy.gateway.admission.rate_limits import RateLimits
from stockbuddy.gateway.admission.revocations import Revocations
from stockbuddy.gateway.errors import ForeignPage

MOST_KNOWN = 10_000
WEBSOCKET = "WEBSOCKET"
"""Stands where a method does."""


@dataclass(frozen=True, slots=True)
class Caller:
    """`name` is who is counted and limited: a user, or a machine by its key. `authorization` is the header's value
    for the service."""

    principal: Principal
    name: str
    authorization: bytes

    @classmethod
    def by_token(cls, principal: Principal, token: str) -> "Caller":
        session_id = principal.session_id
        name = session_id if session_id.startswith("key:") else f"user:{principal.user_id}"
        return cls(principal, name, f"Bearer {token}".encode("latin-1"))


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
        self._known: dict[bytes, Caller] = {}
        """By the header as it came: most requests show what an earlier one has shown."""

    async def caller(self, incoming: Incoming, method: str, address: str) -> Caller | None:
        """None when the request shows no credentials. Raises Unauthenticated for bad ones, ForeignPage, Unavailable,
        TooManyRequests for one who guesses keys."""
        noted = incoming.noted
        if (authorization := noted.get(b"authorization")) is not None:
            known = self._known.get(authorization)
            if known is not None and self._is_still_good(known):
                return known
            return self._know(authorization, await self._by_token(bearer_token(authorization.decode("latin-1"))))
        if (api_key := noted.get(b"x-api-key")) is not None:
            _, caller = await self._by_secret("api_key", api_key.decode("latin-1"), address)
            return caller
        if b"cookie" in noted and (cookies := cookies_of(incoming)).get(SESSION_COOKIE):
            return await self._by_cookie(incoming, cookies, method, address)
        return None

    def _is_still_good(self, caller: Caller) -> bool:
        principal = caller.principal
        return principal.expires_at > time.time() and not self._revocations.has_ended(principal.session_id)

    def _know(self, authorization: bytes, caller: Caller) -> Caller:
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[authorization] = caller
        return caller

    async def _by_token(self, token: str) -> Caller:
        principal = await self._verifier.verify(token)
        self._revocations.refuse_if_unknown()
        if self._revocations.has_ended(principal.session_id):
            raise Unauthenticated("The session has ended.")
        return Caller.by_token(principal, token)

    async def _by_cookie(self, incoming: Incoming, cookies: dict[str, str], method: str, address: str) -> Caller:
        exchanged, caller = await self._by_secret("session_cookie", cookies[SESSION_COOKIE], address)
        if method == WEBSOCKET:
            is_ours = is_our_pages_socket(incoming, self._allowed_origins)
        else:
            is_ours = is_of_our_page(incoming, method, cookies, exchanged.csrf_token)
        if not is_ours:
            raise ForeignPage(caller.principal)
        return caller

    async def _by_secret(self, kind: Kind, secret: str, address: str) -> tuple[Exchanged, Caller]:
        exchanged = await self._exchanged(kind, secret, address)
        try:
            return exchanged, await self._by_token(exchanged.access_token)
        except Unauthenticated:
            # A change of rights ends the tokens made before it; a key or session that lives on gets a new one.
            self._exchange.forget(kind, secret)
        exchanged = await self._exchanged(kind, secret, address)
        return exchanged, await self._by_token(exchanged.access_token)

    async def _exchanged(self, kind: Kind, secret: str, address: str) -> Exchanged:
        if not secret:
            raise Unauthenticated
        exchanged = self._exchange.remembered(kind, secret)
        if exchanged is None:
            # A question to auth is work for a stranger, until the answer says that it is none.
            await self._limits.count_stranger(address)
            exchanged = await self._exchange.ask(kind, secret)
        return exchanged
