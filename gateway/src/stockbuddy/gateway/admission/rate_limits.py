"""Rate limits: per caller, per address if anonymous, and for logins and registrations, which cost a password hash each.

Responses carry `RateLimit-*` headers (draft-ietf-httpapi-ratelimit-headers); a rejection also has `Retry-After`.
"""

import hashlib
import math
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Literal

from limits import RateLimitItem

from stockbuddy.chassis.http.errors import TooManyRequests
from stockbuddy.gateway.admission.login_key import login_key, names_account, read_body, replay
from stockbuddy.gateway.admission.rate_counters import RateCounter
from stockbuddy.gateway.headers import HeaderList
from stockbuddy.gateway.request import GatewayRequest


@dataclass(frozen=True, slots=True)
class Limits:
    """None is off. `address`: anonymous requests; `login`: per account and address; `login_address` and `registration`:
    per address."""

    caller: RateLimitItem | None
    address: RateLimitItem | None
    login: RateLimitItem | None
    login_address: RateLimitItem | None
    registration: RateLimitItem | None


class RateLimits:
    """All methods raise TooManyRequests."""

    def __init__(self, counter: RateCounter, limits: Limits) -> None:
        self._counter = counter
        self._limits = limits

    async def count(self, request: GatewayRequest) -> None:
        """Count an admitted request, and set its rate limit headers. Reads the body of a login."""
        if request.caller is not None:
            headers = await self._count(self._limits.caller, f"caller:{request.caller.name}")
        elif request.route.signed:
            headers = await self._count(self._limits.caller, f"signed:{_network(request.client_address)}")
        else:
            headers = await self.count_anonymous(request.client_address)
        if request.route.registration:
            key = f"registration:{_network(request.client_address)}"
            headers = await self._count(self._limits.registration, key) or headers
        if request.route.login:
            headers = await self._count_login(request) or headers
        request.response_headers += headers

    async def count_anonymous(self, address: str) -> HeaderList:
        """Count a request without valid credentials. Returns the rate limit headers."""
        return await self._count(self._limits.address, f"address:{_network(address)}")

    async def count_separately(self, request: GatewayRequest, kind: Literal["own", "preflight"]) -> None:
        """Count a request to an endpoint of the gateway itself, or a preflight, by address and apart from others:
        neither must use up what logins need."""
        key = f"{kind}:{_network(request.client_address)}"
        request.response_headers += await self._count(self._limits.address, key)

    async def _count_login(self, request: GatewayRequest) -> HeaderList:
        network, body = _network(request.client_address), b""
        if request.headers.has_body:
            body = await read_body(request.receive)
            request.receive = replay(body, request.receive)
        if request.route.grants and not names_account(body, request.headers):
            return []
        await self._count(self._limits.login_address, f"logins:{network}")
        if not body:
            return []
        # JSON may contain half a surrogate pair, which UTF-8 can't encode.
        account = login_key(body, request.headers).encode("utf-8", "surrogatepass")
        return await self._count(self._limits.login, f"login:{hashlib.sha256(account).hexdigest()[:32]}:{network}")

    async def _count(self, limit: RateLimitItem | None, key: str) -> HeaderList:
        if limit is None:
            return []
        count, seconds_left = await self._counter.increment(key, limit.get_expiry())
        reset = math.ceil(seconds_left) or 1
        if count > limit.amount:
            raise _too_many(limit.amount, reset)
        return [
            (b"ratelimit-limit", b"%d" % limit.amount),
            (b"ratelimit-remaining", b"%d" % (limit.amount - count)),
            (b"ratelimit-reset", b"%d" % reset),
        ]


def _network(address: str) -> str:
    """The /64 of an IPv6 address, because a client can use all of its network's 2⁶⁴ addresses."""
    return str(ip_network(f"{address}/64", strict=False)) if ":" in address else address


def _too_many(limit: int, reset_seconds: int) -> TooManyRequests:
    reset = str(reset_seconds)
    headers = {"RateLimit-Limit": str(limit), "RateLimit-Remaining": "0", "RateLimit-Reset": reset}
    return TooManyRequests(headers={**headers, "Retry-After": reset})
