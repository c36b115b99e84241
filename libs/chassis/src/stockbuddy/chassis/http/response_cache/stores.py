"""Where the entries of a response cache are: in the memory of the process, or in Redis or Valkey for all replicas."""

import asyncio
import time
from collections import OrderedDict
from typing import Protocol

from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

from stockbuddy.chassis.runtime.failures import DependencyUnavailable
from stockbuddy.chassis.runtime.outages import OutageLog

MAX_ENTRY_BYTES = 4 * 1024 * 1024
MAX_CACHED_BYTES = 16 * 1024 * 1024
"""Of a store in memory."""
TIMEOUT_SECONDS = 0.05
RETRY_INTERVAL_SECONDS = 2.0
"""After a failure, Redis is not asked for this time."""
SLOW = "The cache does not answer in time."


class StoreUnavailable(DependencyUnavailable):
    """The store can't be asked at the moment."""

    dependency = "response cache"


class Store(Protocol):
    """Keeps bytes for some time, and may forget them at any time."""

    async def get(self, key: str) -> bytes | None:
        """Raises StoreUnavailable."""

    async def put(self, key: str, entry: bytes) -> None:
        """Raises StoreUnavailable."""

    async def close(self) -> None: ...


class MemoryStore:
    """At most MAX_CACHED_BYTES; the entry that was used least recently goes first. Entries expire when they are read,
    see `ResponseCache`."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    async def get(self, key: str) -> bytes | None:
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    async def put(self, key: str, entry: bytes) -> None:
        self._bytes += len(entry) - len(self._entries.pop(key, b""))
        self._entries[key] = entry
        while self._bytes > MAX_CACHED_BYTES:
            self._bytes -= len(self._entries.popitem(last=False)[1])

    async def close(self) -> None:
        """Nothing to close."""


class RedisStore:
    """`seconds`: after which an entry is removed. A server that is gone or slow costs one TIMEOUT_SECONDS per
    RETRY_INTERVAL_SECONDS."""

    def __init__(self, url: str, service: str, seconds: int) -> None:
        self._seconds = seconds
        # The Valkey client also supports Redis.
        self._client = Valkey.from_url(url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS)
        self._retry_at = 0.0
        self._outage = OutageLog("response_cache.unavailable", service=service)

    async def get(self, key: str) -> bytes | None:
        self._require_available()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                entry: bytes | None = await self._client.get(key)
        except (ValkeyError, OSError) as error:
            raise self._unavailable(error) from error
        self._outage.end()
        return entry

    async def put(self, key: str, entry: bytes) -> None:
        self._require_available()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await self._client.set(key, entry, ex=self._seconds)
        except (ValkeyError, OSError) as error:
            raise self._unavailable(error) from error

    async def close(self) -> None:
        await self._client.aclose()

    def _require_available(self) -> None:
        if time.monotonic() < self._retry_at:
            raise StoreUnavailable(SLOW)

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        self._retry_at = time.monotonic() + RETRY_INTERVAL_SECONDS
        failure = StoreUnavailable(repr(error))
        self._outage.record(failure)
        return failure
