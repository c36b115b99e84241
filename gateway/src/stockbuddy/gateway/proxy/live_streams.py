"""Open streams by session and by caller: a stream ends within a second of its session's revocation, and when its
credential ends; a caller has a limited number of them."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import structlog

from stockbuddy.chassis.http.errors import Unauthenticated, Unavailable
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.runtime import clock
from stockbuddy.gateway.errors import TooManyStreams
from stockbuddy.gateway.request import Caller

log = structlog.get_logger(__name__)

MIN_RENEWAL_INTERVAL_SECONDS = 1.0
RETRY_SECONDS = 5.0
RETRY_GRACE_SECONDS = 60.0
"""While auth is unavailable, streams stay open: their clients could not reconnect."""


class LiveStreams:
    def __init__(self, *, max_per_caller: int) -> None:
        self._max_per_caller = max_per_caller
        self._by_session: dict[str, set[asyncio.Timeout]] = {}
        self._by_caller: Counter[str] = Counter()

    def end_session(self, session_id: str) -> None:
        """End every stream of this session."""
        now = asyncio.get_running_loop().time()
        for stream in self._by_session.get(session_id, ()):
            stream.reschedule(now)

    def require_capacity(self, caller: Caller) -> None:
        """Raises TooManyStreams."""
        if self._by_caller[caller.name] >= self._max_per_caller:
            raise TooManyStreams(self._max_per_caller)

    async def run(self, caller: Caller, stream: Awaitable[None]) -> bool:
        """Await `stream`; cancel it and return False if the credential ends first: with a bearer token, when that
        expires; with an API key or a session cookie, when auth gives no further token for it."""
        principal = caller.principal
        timeouts = self._by_session.setdefault(principal.session_id, set())
        timeout = asyncio.timeout(principal.accepted_until - clock.timestamp())
        timeouts.add(timeout)
        self._by_caller[caller.name] += 1
        renewal = asyncio.create_task(_extend(timeout, principal, caller.renew)) if caller.renew else None
        try:
            async with timeout:
                await stream
        except TimeoutError:
            if not timeout.expired():
                raise
            return False
        finally:
            if renewal is not None:
                renewal.cancel()
            timeouts.discard(timeout)
            if not timeouts:
                self._by_session.pop(principal.session_id, None)
            self._by_caller[caller.name] -= 1
            if not self._by_caller[caller.name]:
                del self._by_caller[caller.name]
        return True


async def _extend(deadline: asyncio.Timeout, principal: Principal, renew: Callable[[], Awaitable[Principal]]) -> None:
    """Move `deadline` to the end of each further token, until the credential gets no more."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(max(principal.expires_at - clock.timestamp(), MIN_RENEWAL_INTERVAL_SECONDS))
        try:
            principal = await renew()
            end = loop.time() + principal.accepted_until - clock.timestamp()
        except Unauthenticated:
            end = loop.time()
        except Unavailable as error:
            log.info("stream.renewal_delayed", error=repr(error))
            end = loop.time() + RETRY_GRACE_SECONDS
            await asyncio.sleep(RETRY_SECONDS)
        if not deadline.expired():
            deadline.reschedule(end)
        if end <= loop.time():
            return
