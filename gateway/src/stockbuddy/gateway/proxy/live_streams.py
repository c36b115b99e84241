"""Open streams by session: a stream ends within a second of its session's revocation, and when its token expires."""

import asyncio
import time
from collections.abc import Awaitable

from stockbuddy.chassis.http.tokens import Principal


class LiveStreams:
    def __init__(self) -> None:
        self._by_session: dict[str, set[asyncio.Timeout]] = {}

    def end_session(self, session_id: str) -> None:
        """End every stream of this session."""
        now = asyncio.get_running_loop().time()
        for stream in self._by_session.get(session_id, ()):
            stream.reschedule(now)

    async def run(self, principal: Principal, stream: Awaitable[None]) -> bool:
        """Await `stream`; cancel it and return False if the session ends first."""
        timeouts = self._by_session.setdefault(principal.session_id, set())
        timeout = asyncio.timeout(principal.accepted_until - time.time())
        timeouts.add(timeout)
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
        return True
