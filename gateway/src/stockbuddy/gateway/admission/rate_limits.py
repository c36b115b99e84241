"""How often one may call: by caller, by address for whoever is not known, and by account and address for logins.

Says how it stands in `RateLimit-*` headers (draft-ietf-httpapi-ratelimit-headers) and, when it is too much, when to
come back.
"""

import hashlib
import math
from ipaddress import ip_network

from limits import RateLimitItem

from stockbuddy.chassis.http.errors import TooManyRequests
from stockbuddy.gateway.admission.incoming import HeaderList
from stockbuddy.gateway.admission.windows import Windows


class RateLimits:
    """A limit that is None is off."""

    def __init__(
        self,
        windows: Windows,
        *,
        caller: RateLimitItem | None,
        address: RateLimitItem | None,
        login: RateLimitItem | None,
    ) -> None:
        self._windows = windows
        self._caller = caller
        self._address = address
        self._login = login

    async def count_caller(self, name: str) -> HeaderList:
        """Each of these returns the headers to answer with. Raises TooManyRequests."""
        return await self._count(self._caller, f"caller:{name}")

    async def count_stranger(self, address: str) -> HeaderList:
        return await self._count(self._address, f"address:{_neighbourhood(address)}")

    async def count_login(self, account: str, address: str) -> HeaderList:
        # JSON can hold what no text can: half a surrogate pair.
        digest = hashlib.sha256(account.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return await self._count(self._login, f"login:{digest}:{_neighbourhood(address)}")

    async def _count(self, limit: RateLimitItem | None, key: str) -> HeaderList:
        if limit is None:
            return []
        count, seconds_left = await self._windows.hit(key, limit.get_expiry())
        reset = math.ceil(seconds_left) or 1
        if count > limit.amount:
            raise _too_many(limit.amount, reset)
        return [
            (b"ratelimit-limit", b"%d" % limit.amount),
            (b"ratelimit-remaining", b"%d" % (limit.amount - count)),
            (b"ratelimit-reset", b"%d" % reset),
        ]


def _neighbourhood(address: str) -> str:
    """Whoever has one IPv6 address has the 2⁶⁴ of its network."""
    return str(ip_network(f"{address}/64", strict=False)) if ":" in address else address


def _too_many(most: int, reset_seconds: int) -> TooManyRequests:
    reset = str(reset_seconds)
    standing = {"RateLimit-Limit": str(most), "RateLimit-Remaining": "0", "RateLimit-Reset": reset}
    return TooManyRequests(headers={**standing, "Retry-After": reset})
