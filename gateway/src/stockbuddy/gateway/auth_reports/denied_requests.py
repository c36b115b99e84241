"""Every 403 is put on record. Services do that themselves; of the gateway's own, auth is told at once.

An answer never waits for that. While auth is away so many wait here, and are told when it is back.
"""

import asyncio
from collections import deque
from dataclasses import asdict, dataclass
from itertools import islice

import structlog
from prometheus_client import Counter

from stockbuddy.gateway.reports.telling import is_told
from stockbuddy.gateway.upstream.port import Upstream

log = structlog.get_logger(__name__)

PATH = "/internal/denials"
LONGEST_PATH = 200
MOST_WAITING = 1000
MOST_AT_ONCE = 100
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 5.0
FAREWELL_SECONDS = 2.0

LOST = Counter("stockbuddy_gateway_denials_lost_total", "Denials that were never put on record: too many waited.")


@dataclass(frozen=True, slots=True)
class Denial:
    """A request that was answered with 403. The user is None where nobody was known yet."""

    method: str
    path: str
    code: str
    user_id: int | None
    username: str | None
    client_ip: str
    request_id: str
    traceparent: str | None


class Denials:
    def __init__(self, auth: Upstream) -> None:
        self._auth = auth
        self._waiting: deque[Denial] = deque()
        self._noted = asyncio.Event()

    def note(self, denial: Denial) -> None:
        if len(self._waiting) >= MOST_WAITING:
            LOST.inc()
            return
        self._waiting.append(denial)
        self._noted.set()

    async def run(self) -> None:
        """Until cancelled."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            await self._noted.wait()
            if await self._is_all_told():
                pause = FIRST_PAUSE_SECONDS
            else:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def finish(self) -> None:
        """What still waits when the gateway stops, if auth is there to hear it."""
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self._is_all_told()
        except TimeoutError:
            pass
        if self._waiting:
            LOST.inc(len(self._waiting))
            log.warning("denials.lost", count=len(self._waiting))

    async def _is_all_told(self) -> bool:
        while batch := list(islice(self._waiting, MOST_AT_ONCE)):
            if not await is_told(self._auth, PATH, {"denials": [asdict(denial) for denial in batch]}):
                return False
            for _ in batch:
                self._waiting.popleft()
        self._noted.clear()
        return True
