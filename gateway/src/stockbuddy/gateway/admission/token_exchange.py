"""Exchanges API keys, session cookies and stream tickets for access tokens at auth; caches tokens of the former two,
and rejections briefly.

Cache keys are hashes, so that a memory dump contains no credentials.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import structlog
from pydantic import ValidationError

from stockbuddy.chassis.http.errors import Unauthenticated, Unavailable
from stockbuddy.chassis.runtime.failures import DependencyUnavailable
from stockbuddy.contracts.internal import TOKEN_EXCHANGE_PATH, TokenExchangeRequest, TokenExchangeResponse
from stockbuddy.gateway.proxy.client import AuthClient

log = structlog.get_logger(__name__)

MAX_CACHED = 10_000
REJECTION_TTL_SECONDS = 5.0
EXCHANGE_TIMEOUT_SECONDS = 5.0
REFRESH_MARGIN = 0.2
MIN_REFRESH_MARGIN_SECONDS = 2.0
"""A new token is requested when this share of the old one's lifetime is left, so that none expires on its way to a
service. Expiry is in whole seconds, and clocks differ."""

CredentialKind = Literal["api_key", "session_cookie", "stream_ticket"]
_REJECTIONS: Mapping[CredentialKind, str] = {
    "api_key": "The API key is not valid.",
    "session_cookie": "The session has ended.",
    "stream_ticket": "The ticket is invalid, used or older than a minute.",
}


@dataclass(frozen=True, slots=True)
class ExchangedToken:
    """`csrf_token` is the value that a browser must repeat in a header, if auth returned one. `cookie_max_age`: the
    browser's cookies must be set again with this lifetime, in seconds. `use_until` is by the monotonic clock."""

    access_token: str
    csrf_token: str | None
    cookie_max_age: int | None
    use_until: float


class TokenExchange:
    def __init__(self, auth: AuthClient) -> None:
        self._auth = auth
        self._tokens: OrderedDict[bytes, ExchangedToken] = OrderedDict()
        self._rejected_until: OrderedDict[bytes, float] = OrderedDict()
        self._in_flight: dict[bytes, asyncio.Task[ExchangedToken | None]] = {}

    def find_cached(self, kind: CredentialKind, secret: str) -> ExchangedToken | None:
        """Raises Unauthenticated if auth rejected the credential recently."""
        digest, now = _digest(kind, secret), time.monotonic()
        token = self._tokens.get(digest)
        if token is not None and token.use_until > now:
            return token
        if self._rejected_until.get(digest, 0.0) > now:
            raise _rejection(kind)
        return None

    def discard(self, kind: CredentialKind, secret: str) -> None:
        """Remove a token that was revoked before its expiry."""
        self._tokens.pop(_digest(kind, secret), None)

    async def exchange(self, kind: CredentialKind, secret: str) -> ExchangedToken:
        """Concurrent requests with the same credential share one call. Raises Unauthenticated, Unavailable."""
        digest = _digest(kind, secret)
        task = self._in_flight.get(digest)
        if task is None:
            task = self._in_flight[digest] = asyncio.create_task(self._exchange(kind, secret, digest))
            task.add_done_callback(lambda _: self._in_flight.pop(digest, None))
        token = await asyncio.shield(task)
        if token is None:
            raise _rejection(kind)
        return token

    async def redeem_ticket(self, ticket: str) -> str:
        """The access token for a stream ticket, which works once: nothing is cached or shared with concurrent requests.
        Raises Unauthenticated, Unavailable."""
        response = await self._request("stream_ticket", ticket)
        if response is None:
            raise _rejection("stream_ticket")
        return response.access_token

    async def _exchange(self, kind: CredentialKind, secret: str, digest: bytes) -> ExchangedToken | None:
        """None if auth rejects the credential."""
        response = await self._request(kind, secret)
        if response is None:
            _store(self._rejected_until, digest, time.monotonic() + REJECTION_TTL_SECONDS)
            return None
        lifetime_seconds = float(response.expires_in)
        margin_seconds = max(lifetime_seconds * REFRESH_MARGIN, MIN_REFRESH_MARGIN_SECONDS)
        use_until = time.monotonic() + lifetime_seconds - margin_seconds
        token = ExchangedToken(response.access_token, response.csrf_token, response.cookie_max_age, use_until)
        _store(self._tokens, digest, replace(token, cookie_max_age=None))
        return token

    async def _request(self, kind: CredentialKind, secret: str) -> TokenExchangeResponse | None:
        """None if auth rejects the credential. Raises Unavailable."""
        try:
            return await self._call(kind, secret)
        except (DependencyUnavailable, ValidationError) as error:
            log.warning("exchange.failed", kind=kind, error=repr(error))
            raise Unavailable("Credentials can't be verified at the moment.") from error

    async def _call(self, kind: CredentialKind, secret: str) -> TokenExchangeResponse | None:
        """None if the credential is invalid. Raises DependencyUnavailable, ValidationError."""
        try:
            body = TokenExchangeRequest.model_validate({kind: secret})
        except ValidationError:
            return None  # longer than any credential
        response = await self._auth.call(
            "POST", TOKEN_EXCHANGE_PATH, body=body, timeout_seconds=EXCHANGE_TIMEOUT_SECONDS
        )
        if response.status in (400, 401, 422):
            return None
        if response.status != 200:
            raise DependencyUnavailable(f"auth responded with {response.status}")
        return TokenExchangeResponse.model_validate_json(response.body)


def _store(
    cache: "OrderedDict[bytes, ExchangedToken] | OrderedDict[bytes, float]", digest: bytes, value: object
) -> None:
    cache.pop(digest, None)
    cache[digest] = value  # type: ignore[assignment]
    if len(cache) > MAX_CACHED:
        cache.popitem(last=False)


def _digest(kind: CredentialKind, secret: str) -> bytes:
    return hashlib.sha256(f"{kind}:{secret}".encode()).digest()


def _rejection(kind: CredentialKind) -> Unauthenticated:
    return Unauthenticated(_REJECTIONS[kind])
