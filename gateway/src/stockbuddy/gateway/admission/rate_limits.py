"""How often one may call: by caller, by address for whoever is not known, and by account and address for logins.

Says how it stands in `RateLimit-*` headers (draft-ietf-httpapi-ratelimit-headers) and, when it is too much, when to
come back.
"""

import hashlib
import math

from limits import RateLimitItem

from stockbuddy.chassis.errors import TooManyRequests
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
        return await self._count(self._address, f"address:{address}")

    async def count_login(self, account: str, address: str) -> HeaderList:
        digest = hashlib.sha256(account.encode()).hexdigest()[:32]
        return await self._count(self._login, f"login:{digest}:{address}")

    async def _count(self, limit: RateLimitItem | None, key: str) -> HeaderList:
        if limit is None:
            return []
        most = limit.amount
        count, seconds_left = await self._windows.hit(key, limit.get_expiry())
        reset = max(1, math.ceil(seconds_left))
        standing = {"RateLimit-Limit": most, "RateLimit-Remaining": max(0, most - count), "RateLimit-Reset": reset}
        if count > most:
            headers = {name: str(value) for name, value in standing.items()}
            raise TooManyRequests(headers={**headers, "Retry-After": str(reset)})
        return [(name.lower().encode(), b"%d" % value) for name, value in standing.items()]
