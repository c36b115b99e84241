"""Rate limits: per caller, per address if anonymous, and per account and address for logins.

Responses carry `RateLimit-*` headers (draft-ietf-httpapi-ratelimit-headers); a rejection also has `Retry-After`.
"""

import hashlib
import math
from ipaddress import ip_network

from limits import RateLimitItem

from stockbuddy.chassis.http.errors import TooManyRequests
from stockbuddy.gateway.admission.login_key import login_key, read_body, replay
from stockbuddy.gateway.admission.rate_counters import RateCounter
from stockbuddy.gateway.headers import HeaderList
from stockbuddy.gateway.request import GatewayRequest


class RateLimits:
    """A limit of None is off. All methods raise TooManyRequests."""

    def __init__(
        self,
        counter: RateCounter,
        *,
        caller: RateLimitItem | None,
        address: RateLimitItem | None,
        login: RateLimitItem | None,
    ) -> None:
        self._counter = counter
        self._caller = caller
        self._address = address
        self._login = login

    async def count(self, request: GatewayRequest) -> None:
        """Count an admitted request, and set its rate limit headers. Reads the body of a login."""
        if request.caller is not None:
            request.rate_limit_headers = await self._count(self._caller, f"caller:{request.caller.name}")
        else:
            request.rate_limit_headers = await self.count_anonymous(request.client_address)
        if request.route.login and request.headers.has_body:
            body = await read_body(request.receive)
            request.receive = replay(body, request.receive)
            headers = await self._count_login(login_key(body, request.headers), request.client_address)
            request.rate_limit_headers = headers or request.rate_limit_headers

    async def count_anonymous(self, address: str) -> HeaderList:
        """Count a request without valid credentials. Returns the rate limit headers."""
        return await self._count(self._address, f"address:{_network(address)}")

    async def _count_login(self, account: str, address: str) -> HeaderList:
        # JSON may contain half a surrogate pair, which UTF-8 can't encode.
        digest = hashlib.sha256(account.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return await self._count(self._login, f"login:{digest}:{_network(address)}")

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
