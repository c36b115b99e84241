"""Request counters in fixed windows: per process, or in Redis or Valkey for all replicas of the gateway."""

import time
from typing import Protocol

import structlog
from limits.aio.storage import RedisStorage
from limits.errors import StorageError

log = structlog.get_logger(__name__)

SWEEP_INTERVAL_SECONDS = 10.0
REDIS_TIMEOUT_SECONDS = 0.1
REDIS_RETRY_DELAY_SECONDS = 2.0


class RateCounter(Protocol):
    async def increment(self, key: str, seconds: int) -> tuple[int, float]:
        """Count a request of `key`. Returns the count in its window, which started with the first request and lasts
        `seconds`, and the seconds left in it."""

    async def close(self) -> None: ...


class LocalCounter:
    """Unlike the library's memory storage, it starts no task and does not scan all keys at every request."""

    def __init__(self) -> None:
        self._windows: dict[str, list[float]] = {}
        """Key → [count, end]."""
        self._swept_at = time.monotonic()

    async def increment(self, key: str, seconds: int) -> tuple[int, float]:
        now = time.monotonic()
        if now - self._swept_at > SWEEP_INTERVAL_SECONDS:
            self._sweep(now)
        window = self._windows.get(key)
        if window is None or window[1] <= now:
            window = self._windows[key] = [0, now + seconds]
        window[0] += 1
        return int(window[0]), window[1] - now

    async def close(self) -> None:
        """Nothing to close."""

    def _sweep(self, now: float) -> None:
        self._swept_at = now
        self._windows = {key: window for key, window in self._windows.items() if window[1] > now}


class RedisCounter:
    """While the server is unavailable every gateway replica counts for itself: limits become laxer, but no client is
    locked out. The counters of a `company` are its own."""

    def __init__(self, url: str, company: str | None = None) -> None:
        # The Valkey client also supports Redis.
        scheme, _, rest = url.partition("://")
        self._storage = RedisStorage(
            f"async+{scheme.replace('redis', 'valkey')}://{rest}",
            wrap_exceptions=True,
            key_prefix=f"stockbuddy:{company}" if company else "stockbuddy",
            socket_timeout=REDIS_TIMEOUT_SECONDS,
            socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
        )
        self._fallback = LocalCounter()
        self._retry_at = 0.0

    async def increment(self, key: str, seconds: int) -> tuple[int, float]:
        if time.monotonic() >= self._retry_at:
            try:
                count = await self._storage.incr(key, seconds)
                # The storage adds the machine's time to the key's remaining one.
                local_time = time.time  # noqa: TID251
                # For a window of one second a second round trip for its end is not worth the time.
                left = float(seconds) if seconds == 1 else await self._storage.get_expiry(key) - local_time()
            except (StorageError, OSError, TimeoutError) as error:
                log.warning("limits.redis_unavailable", error=repr(error))
                self._retry_at = time.monotonic() + REDIS_RETRY_DELAY_SECONDS
            else:
                return count, min(max(left, 0.0), float(seconds))
        return await self._fallback.increment(key, seconds)

    async def close(self) -> None:
        await self._storage.bridge.get_connection().aclose()  # type: ignore[attr-defined]
