"""Open streams by session and by caller: a stream ends within a second of its session's revocation, and when its token
expires; a caller has a limited number of them."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable

from stockbuddy.gateway.errors import TooManyStreams
from stockbuddy.gateway.request import Caller


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
        """Await `stream`; cancel it and return False if the session ends first."""
        principal = caller.principal
        timeouts = self._by_session.setdefault(principal.session_id, set())
        timeout = asyncio.timeout(principal.accepted_until - time.time())
        timeouts.add(timeout)
        self._by_caller[caller.name] += 1
        try:
            async with timeout:
                await stream
        except TimeoutError:
            if not timeout.expired():
                raise
            return False
        finally:
            timeouts.discard(timeout)
            if not timeouts:
                self._by_session.pop(principal.session_id, None)
            self._by_caller[caller.name] -= 1
            if not self._by_caller[caller.name]:
                del self._by_caller[caller.name]
        return True
