"""Authentication: a bearer token, an API key, a stream's ticket or a browser's session cookie, in this order of
precedence.

Whatever the credential, the service receives a bearer token, and verifies it again.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from urllib.parse import parse_qsl

from stockbuddy.chassis.http.authentication import bearer_token
from stockbuddy.chassis.http.errors import Unauthenticated
from stockbuddy.chassis.http.tokens import Principal, TokenVerifier
from stockbuddy.chassis.runtime import clock
from stockbuddy.gateway.admission.csrf import BrowserSessions
from stockbuddy.gateway.admission.networks import is_within
from stockbuddy.gateway.admission.rate_limits import RateLimits
from stockbuddy.gateway.admission.revocations import Revocations
from stockbuddy.gateway.admission.token_exchange import CredentialKind, ExchangedToken, TokenExchange
from stockbuddy.gateway.errors import CsrfFailed, NetworkNotAllowed
from stockbuddy.gateway.request import WEBSOCKET, Caller, GatewayRequest
from stockbuddy.gateway.routing.routes import Auth

MAX_CACHED_CALLERS = 10_000


class Authenticator:
    def __init__(
        self,
        verifier: TokenVerifier,
        revocations: Revocations,
        exchange: TokenExchange,
        limits: RateLimits,
        *,
        browsers: BrowserSessions,
    ) -> None:
        self._verifier = verifier
        self._revocations = revocations
        self._exchange = exchange
        self._limits = limits
        self._browsers = browsers
        self._callers: dict[bytes, Caller] = {}
        """By the value of the Authorization header, which is the same in most requests of a client."""

    async def authenticate(self, request: GatewayRequest) -> None:
        """Set `request.caller`, unless the route is public. Raises Unauthenticated, CsrfFailed, NetworkNotAllowed,
        Unavailable, and TooManyRequests for too many unverified credentials from one address."""
        auth = request.route.auth
        if auth is Auth.PUBLIC:
            return
        request.caller = await self._find_caller(request)
        if request.caller is None and auth is Auth.REQUIRED:
            raise Unauthenticated("Credentials are required: a bearer token or an API key.")
        if request.caller is not None and (networks := request.caller.principal.networks) is not None:
            if not is_within(request.client_address, networks):
                raise NetworkNotAllowed(request.caller.principal)

    async def _find_caller(self, request: GatewayRequest) -> Caller | None:
        """None if the request has no credentials."""
        parsed = request.headers.parsed
        if (authorization := parsed.get(b"authorization")) is not None:
            caller = self._callers.get(authorization)
            if caller is None or not self._is_valid(caller):
                caller = await self._from_token(bearer_token(authorization.decode("latin-1")))
                self._cache(authorization, caller)
            return caller
        if (api_key := parsed.get(b"x-api-key")) is not None:
            _, caller = await self._from_secret("api_key", api_key.decode("latin-1"), request.client_address)
            return caller
        if request.route.streaming and (ticket := _stream_ticket(request)):
            return await self._from_ticket(ticket, request.client_address)
        if b"cookie" in parsed and (secrets := self._browsers.secrets(request)):
            return await self._from_cookies(request, secrets)
        return None

    def _is_valid(self, caller: Caller) -> bool:
        principal = caller.principal
        return principal.accepted_until > clock.timestamp() and not self._revocations.is_revoked(principal.session_id)

    def _cache(self, authorization: bytes, caller: Caller) -> None:
        if len(self._callers) >= MAX_CACHED_CALLERS:
            self._callers.clear()
        self._callers[authorization] = caller

    async def _from_token(self, token: str) -> Caller:
        principal = await self._verifier.verify(token)
        self._revocations.require_loaded()
        if self._revocations.is_revoked(principal.session_id):
            raise Unauthenticated("The session has ended.")
        return Caller.from_token(principal, token)

    async def _from_ticket(self, ticket: str, address: str) -> Caller:
        """The stream ends with the token, as with a bearer token."""
        await self._limits.count_anonymous(address)  # until auth has verified the ticket
        return await self._from_token(await self._exchange.redeem_ticket(ticket))

    async def _from_cookies(self, request: GatewayRequest, secrets: Sequence[str]) -> Caller:
        *others, last = secrets
        for secret in others:
            try:
                return await self._from_cookie(request, secret)
            except Unauthenticated:
                continue  # a cookie of another application
        return await self._from_cookie(request, last)

    async def _from_cookie(self, request: GatewayRequest, secret: str) -> Caller:
        token, caller = await self._from_secret("session_cookie", secret, request.client_address)
        if request.method == WEBSOCKET:
            is_allowed = self._browsers.has_allowed_origin(request.headers)
        else:
            is_allowed = self._browsers.has_valid_csrf_token(request, token.csrf_token)
        if not is_allowed:
            raise CsrfFailed(caller.principal)
        if token.cookie_max_age is not None:
            request.response_headers += self._browsers.renewed_cookies(request, secret, token)
        return caller

    async def _from_secret(self, kind: CredentialKind, secret: str, address: str) -> tuple[ExchangedToken, Caller]:
        token = await self._exchanged(kind, secret, address)
        renew = partial(self._renew, kind, secret)
        try:
            return token, replace(await self._from_token(token.access_token), renew=renew)
        except Unauthenticated:
            # A change of permissions revokes earlier tokens; a credential that is still valid gets a new one.
            self._exchange.discard(kind, secret)
        token = await self._exchanged(kind, secret, address)
        return token, replace(await self._from_token(token.access_token), renew=renew)

    async def _renew(self, kind: CredentialKind, secret: str) -> Principal:
        token = self._exchange.find_cached(kind, secret) or await self._exchange.exchange(kind, secret)
        return (await self._from_token(token.access_token)).principal

    async def _exchanged(self, kind: CredentialKind, secret: str, address: str) -> ExchangedToken:
        if not secret:
            raise Unauthenticated
        token = self._exchange.find_cached(kind, secret)
        if token is None:
            # An unknown credential counts against the anonymous limit until auth has verified it.
            await self._limits.count_anonymous(address)
            token = await self._exchange.exchange(kind, secret)
        return token


def _stream_ticket(request: GatewayRequest) -> str | None:
    query = request.scope["query_string"].decode("latin-1")
    return dict(parse_qsl(query)).get("ticket")
