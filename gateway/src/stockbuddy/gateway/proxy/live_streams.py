"""Long-lived answers end with the session that opened them: at logout within a second, and when the token expires."""

import asyncio
import time
from collections.abc import Awaitable

from stockbuddy.chassis.http.tokens import Principal


class LiveStreams:
    def __init__(self) -> None:
        self._by_session: dict[str, set[asyncio.Timeout]] = {}

    def end(self, session_id: str) -> None:
        """End every stream of this session."""
        now = asyncio.get_running_loop().time()
        for stream in self._by_session.get(session_id, ()):
            stream.reschedule(now)

    async def run(self, principal: Principal, stream_to_client: Awaitable[None]) -> bool:
        """False when the session ended before the stream did, which then is cancelled."""
        streams = self._by_session.setdefault(principal.session_id, set())
        stream = asyncio.timeout(principal.expires_at - time.time())
        streams.add(stream)
        try:
            async with stream:
                await stream_to_client
        except TimeoutError:
            if not stream.expired():
                raise
            return False
        finally:
            streams.discard(stream)
            if not streams:
                self._by_session.pop(principal.session_id, None)
        return True
