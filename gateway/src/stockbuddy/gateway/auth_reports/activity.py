"""When each session and API key was used last: auth sees tokens only when it gives them out, and so is told now and
then of those that were shown here."""

import asyncio
import time
from datetime import UTC, datetime
from itertools import islice

from stockbuddy.gateway.reports.telling import is_told
from stockbuddy.gateway.upstream.port import Upstream

PATH = "/internal/uses"
MOST_NOTED = 50_000
MOST_AT_ONCE = 1000
FAREWELL_SECONDS = 2.0


class Uses:
    def __init__(self, auth: Upstream, *, every_seconds: float) -> None:
        self._auth = auth
        self._every_seconds = every_seconds
        self._last_used_at: dict[str, float] = {}
        """By session id, in seconds since the epoch: those that auth has not been told."""

    def note(self, session_id: str) -> None:
        if len(self._last_used_at) < MOST_NOTED or session_id in self._last_used_at:
            self._last_used_at[session_id] = time.time()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(self._every_seconds)
            await self._tell()

    async def finish(self) -> None:
        """The last ones, when the gateway stops."""
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self._tell()
        except TimeoutError:
            pass

    async def _tell(self) -> None:
        untold, self._last_used_at = self._last_used_at, {}
        try:
            while batch := list(islice(untold.items(), MOST_AT_ONCE)):
                uses = [{"session_id": session_id, "at": _written(at)} for session_id, at in batch]
                if not await is_told(self._auth, PATH, {"uses": uses}):
                    break
                for session_id, _ in batch:
                    del untold[session_id]
        finally:
            if untold:
                self._last_used_at = untold | self._last_used_at


def _written(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()
