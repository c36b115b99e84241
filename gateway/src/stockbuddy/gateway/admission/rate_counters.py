"""Counts what happens in fixed windows of time: in this process, or in Redis or Valkey for all replicas together."""

import time
from typing import Protocol

import structlog
from limits.aio.storage import RedisStorage
from limits.errors import StorageError

log = structlog.get_logger(__name__)

SWEEP_SECONDS = 10.0
ANSWER_SECONDS = 0.1
AWAY_SECONDS = 2.0


class Windows(Protocol):
    async def hit(self, key: str, seconds: int) -> tuple[int, float]:
        """Count one more in the window of `key`, begun by its first: how many there are, and seconds until it ends."""

    async def close(self) -> None: ...


class MemoryWindows:
    """The library's own storage in memory starts a task and looks through all keys at every hit; this does neither."""

    def __init__(self) -> None:
        self._windows: dict[str, list[float]] = {}
        """Key → count, end."""
        self._swept_at = time.monotonic()

    async def hit(self, key: str, seconds: int) -> tuple[int, float]:
        now = time.monotonic()
        if now - self._swept_at > SWEEP_SECONDS:
            self._sweep(now)
        window = self._windows.get(key)
        if window is None or window[1] <= now:
            window = self._windows[key] = [0, now + seconds]
        window[0] += 1
        return int(window[0]), window[1] - now

    async def close(self) -> None:
        """Nothing is open."""

    def _sweep(self, now: float) -> None:
        self._swept_at = now
        self._windows = {key: window for key, window in self._windows.items() if window[1] > now}


class SharedWindows:
    """While the server is away every replica counts for itself: limits grow laxer then, and nobody is locked out."""

    def __init__(self, url: str) -> None:
        # The Valkey client speaks to Redis as well.
        scheme, _, rest = url.partition("://")
        self._storage = RedisStorage(
            f"async+{scheme.replace('redis', 'valkey')}://{rest}",
            wrap_exceptions=True,
            key_prefix="stockbuddy",
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
        )
        self._own = MemoryWindows()
        self._away_until = 0.0

    async def hit(self, key: str, seconds: int) -> tuple[int, float]:
        if time.monotonic() >= self._away_until:
            try:
                count = await self._storage.incr(key, seconds)
                # In a window of a second the end need not be asked for.
                left = float(seconds) if seconds == 1 else await self._storage.get_expiry(key) - time.time()
            except (StorageError, OSError, TimeoutError) as error:
                log.warning("limits.counted_alone", error=repr(error))
                self._away_until = time.monotonic() + AWAY_SECONDS
            else:
                return count, min(max(left, 0.0), float(seconds))
        return await self._own.hit(key, seconds)

    async def close(self) -> None:
        await self._storage.bridge.get_connection().aclose()  # type: ignore[attr-defined]
